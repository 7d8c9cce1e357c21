package clientauth_test

import (
	"encoding/base64"
	"testing"

	"apostille/trust"
)

func TestA106_ClientSecrets(t *testing.T) {
	t.Parallel()
	const assertion = "client_assertion"
	for _, c := range []struct {
		name   string
		header []string
		params []string
		client string // "" with no reason: no authentication at all
		reason trust.Reason
	}{
		{"Basic with the first secret passes", basic("portal", secret), nil, "portal", ""},
		{"Basic with the second secret passes", basic("portal", second), nil, "portal", ""},
		{"Basic beside the same client_id passes", basic("portal", secret), []string{"client_id", "portal"}, "portal", ""},
		{"Basic is form-decoded", basic("odd", strange), nil, "odd", ""},
		{"the scheme's case does not matter", []string{"basic " + base64.StdEncoding.EncodeToString([]byte("portal:"+secret))}, nil, "portal", ""},
		{"post with the first secret passes", nil, []string{"client_id", "portal", "client_secret", secret}, "portal", ""},
		{"post with a secret that needs encoding passes", nil, []string{"client_id", "odd", "client_secret", strange}, "odd", ""},
		{"nothing at all is nobody", nil, nil, "", ""},
		{"empty parameters are nothing at all", nil, []string{"client_id", "", "client_secret", ""}, "", ""},

		{"a client_id alone is refused", nil, []string{"client_id", "portal"}, "", trust.ReasonClientAuth},
		{"an empty secret is refused", nil, []string{"client_id", "portal", "client_secret", ""}, "", trust.ReasonClientAuth},
		{"a secret without a client_id is refused", nil, []string{"client_secret", secret}, "", trust.ReasonClientAuth},
		{"a wrong secret is refused", nil, []string{"client_id", "portal", "client_secret", "wrong"}, "", trust.ReasonClientAuth},
		{"the hash is no secret", nil, []string{"client_id", "portal", "client_secret", "hash"}, "", trust.ReasonClientAuth},
		{"another client's secret is refused", nil, []string{"client_id", "odd", "client_secret", secret}, "", trust.ReasonClientAuth},
		{"an unknown client is refused", nil, []string{"client_id", "nobody", "client_secret", secret}, "", trust.ReasonClientAuth},
		{"the decoy's secret opens nothing", nil, []string{"client_id", "nobody", "client_secret", "no client has this secret"}, "", trust.ReasonClientAuth},
		{"a client without a registration is refused, whatever credentials there are", nil, []string{"client_id", "ghost", "client_secret", secret}, "", trust.ReasonClientAuth},
		{"a disabled client is refused", nil, []string{"client_id", "off", "client_secret", secret}, "", trust.ReasonClientAuth},
		{"a client registered with keys has no secret", nil, []string{"client_id", "robot", "client_secret", secret}, "", trust.ReasonClientAuth},
		{"a client registered with nothing has no secret", nil, []string{"client_id", "bare", "client_secret", "no client has this secret"}, "", trust.ReasonClientAuth},
		{"client_id is exact in case", nil, []string{"client_id", "Portal", "client_secret", secret}, "", trust.ReasonClientAuth},

		{"Basic with a wrong secret is refused", basic("portal", "wrong"), nil, "", trust.ReasonClientAuth},
		{"Basic with an empty secret is refused", basic("portal", ""), nil, "", trust.ReasonClientAuth},
		{"Basic beside another client_id is refused", basic("portal", secret), []string{"client_id", "odd"}, "", trust.ReasonClientAuth},
		{"Basic that is not form-encoded is refused", rawBasic("odd:" + strange), nil, "", trust.ReasonClientAuth},
		{"Basic without a colon is refused", rawBasic("portal"), nil, "", trust.ReasonClientAuth},
		{"Basic that is not base64 is refused", []string{"Basic portal:" + secret}, nil, "", trust.ReasonClientAuth},
		{"an empty header is refused", []string{""}, nil, "", trust.ReasonClientAuth},
		{"a bearer token is no client authentication", []string{"Bearer abc"}, nil, "", trust.ReasonClientAuth},
		{"two headers are refused", append(basic("portal", secret), basic("odd", strange)...), nil, "", trust.ReasonClientAuth},

		{"Basic and post together are refused, though both are right", basic("portal", secret), []string{"client_id", "portal", "client_secret", secret}, "", trust.ReasonRequest},
		{"Basic and an assertion together are refused", basic("portal", secret), []string{assertion, "x"}, "", trust.ReasonRequest},
		{"post and an assertion together are refused", nil, []string{"client_id", "portal", "client_secret", secret, assertion, "x"}, "", trust.ReasonRequest},
		{"post and the type of an assertion together are refused", nil, []string{"client_id", "portal", "client_secret", secret, assertion + "_type", "x"}, "", trust.ReasonRequest},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			id, err := newBench().ask(t, c.header, c.params...)
			if c.reason == "" {
				granted(t, id, err, c.client)
				return
			}
			refused(t, id, err, c.reason)
		})
	}
}

func TestA107_StrangersCannotTellAnUnknownClientFromAWrongSecret(t *testing.T) {
	t.Parallel()
	b := newBench()
	var public []string
	for _, who := range []string{"portal", "nobody", "off", "robot", "bare"} {
		id, err := b.ask(t, nil, "client_id", who, "client_secret", "wrong")
		e := refused(t, id, err, trust.ReasonClientAuth)
		public = append(public, e.Public)
		if e.Client != who || e.Detail == "" {
			t.Errorf("the admin is not told about %s: %+v", who, e)
		}
	}
	for _, p := range public {
		if p != "" {
			t.Errorf("a stranger is told %q", p)
		}
	}
}
