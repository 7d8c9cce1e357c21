package fake

// Account is a client that gets tokens by client credentials, and what they say of it.
type Account struct {
	ClientID string
	Secret   string
	Subject  string         // default ClientID
	Audience []string       // one is written as a string, more as an array
	Scopes   []string       // it may ask for these; nothing asked for = all of them
	Claims   map[string]any // further claims
}

// DemoAccounts is the table of the demo, for tokens addressed to one audience. The secrets are public on purpose.
func DemoAccounts(audience string) []Account {
	aud := []string{audience}
	return []Account{
		{
			ClientID: "hq-replenishment", Secret: "fake-secret-replenishment", Subject: "svc-replenishment", Audience: aud,
			Scopes: []string{"inventory:read", "inventory:write"},
			Claims: map[string]any{"department": "logistics", "region": "hq"},
		},
		{
			ClientID: "hq-reporting", Secret: "fake-secret-reporting", Subject: "svc-reporting", Audience: aud,
			Scopes: []string{"inventory:read"},
			Claims: map[string]any{"department": "sales", "region": "hq"},
		},
		{
			ClientID: "hq-canteen", Secret: "fake-secret-canteen", Subject: "svc-canteen", Audience: aud,
			Scopes: []string{"menu:read"},
			Claims: map[string]any{"department": "catering", "region": "hq"},
		},
	}
}
