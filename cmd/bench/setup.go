package main

import (
	"fmt"
	"strconv"
	"strings"
)

// setup is a broker's configuration: how many trusts and clients it has, and where the trusts' keys come from.
type setup struct {
	trusts, clients int                                   // at least 1 each; the first of each is the one that is used
	keys            func(trust int) (issuer, keys string) // TOML of `issuer` and `keys`; nil: the rig's key file
	dev             bool                                  // plain http upstreams on loopback
	login           bool                                  // people sign in with each trust, to the first client
	assertions      bool                                  // the trusts take SAML assertions, by the certificate office.pem, instead of JWTs
	federation      string                                // path of the metadata of one, without extension; "" = none
	limited         bool                                  // the limits that the broker has by itself, else limits out of reach
}

// farLimits cost what limits cost and let everything pass.
const farLimits = `
[limits]
per_ip = { rate = 500_000, burst = 1_000_000 }
per_client = { rate = 500_000, burst = 1_000_000 }
`

// files are the configuration files by name, one for each trust as an admin would have them.
func (s setup) files(r *rig) map[string]string {
	files := map[string]string{"apostille.toml": s.main(r)}
	for i := range s.trusts {
		files[fmt.Sprintf("trust.d/idp-%d.toml", i)] = s.trust(r, i)
	}
	return files
}

func (s setup) main(r *rig) string {
	var b strings.Builder
	fmt.Fprintf(&b, `issuer = %q
dev = %t
key_file = %q

[listener]
address = "127.0.0.1:0"
behind = ["127.0.0.1/32"]

[metrics]
address = "127.0.0.1:0"

[audit]
file = "audit.jsonl"

[api.warehouse]
audience = %q
scopes = { %q = "See stock levels" }
`, benchBroker, s.dev, r.path("init/apostille.key"), benchAudience, benchScope)
	if !s.limited {
		b.WriteString(farLimits)
	}
	grants := `["token_exchange"]`
	if s.login {
		grants = `["token_exchange", "authorization_code"]` + "\nredirect_uris = [\"https://app.bench.example/callback\"]"
	}
	for i := range s.clients {
		fmt.Fprintf(&b, `
[client.%s]
apis = { warehouse = [%q] }
secret_sha256 = [%q]
grants = %s
`, clientName(i), benchScope, r.secret, grants)
	}
	b.WriteString(s.federationTOML())
	return b.String()
}

// clientName names a client; the second is the flood's.
func clientName(i int) string {
	if i == 0 {
		return benchClient
	}
	return fmt.Sprintf("client-%d", i)
}

func (s setup) trust(r *rig, i int) string {
	issuer, keys := issuerName(i), fmt.Sprintf("{ jwks_file = %q }", r.path("jwks.json"))
	if s.keys != nil {
		issuer, keys = s.keys(i)
	}
	algorithms, use := `algorithms = ["RS256"]`, fmt.Sprintf("jwt = { audiences = [%q] }", benchBroker)
	if s.assertions {
		keys, algorithms, use = fmt.Sprintf("{ certificates = [%q] }", r.path("office.pem")), "", "saml2 = {}"
	}
	clients := strconv.Quote(clientName(0))
	if s.clients > 1 {
		clients += ", " + strconv.Quote(clientName(1))
	}
	id := fmt.Sprintf("trust.idp-%d", i)
	login := ""
	if s.login {
		login = fmt.Sprintf(`
[%[1]s.login]
protocol = "oidc"
client_id = "west"
auth = "none"
email_domains = ["idp-%[2]d.bench.example"]

[[%[1]s.grant]]
clients = [%[3]q]
sign_in = true
`, id, i, clientName(0))
	}
	return fmt.Sprintf(`[%s]
name = "Office of Region %d"
issuer = %q
keys = %s
%s

[%s.exchange]
%s

[[%s.grant]]
clients = [%s]
api = "warehouse"
scopes = [%q]
`, id, i, issuer, keys, algorithms, id, use, id, clients, benchScope) + login
}

// issuerName names the issuer of a trust; the first is the one whose tokens are good.
func issuerName(i int) string {
	if i == 0 {
		return benchIssuer
	}
	return fmt.Sprintf("https://idp-%d.bench.example", i)
}
