package config

import (
	"strings"
	"testing"
)

func TestTrustsOfDifferentIssuersThatShareADomainAreToldApart(t *testing.T) {
	t.Parallel()
	other := func(issuer, domain string) string {
		return "[trust.other]\nissuer = \"" + issuer + "\"\ndomain = \"" + domain + "\"\nkeys = { discovery = true }\n" +
			"[trust.other.exchange]\nid_token = { audiences = [\"app\"] }\n" +
			"[[trust.other.grant]]\nclients = [\"portal\"]\napi = \"warehouse\"\nscopes = [\"stock.read\"]\n"
	}
	for _, c := range []struct {
		name, issuer, domain string
		warns                bool
	}{
		{"another issuer in the first one's domain", "https://other.example", "https://idp.example", true},
		{"another issuer in a domain of its own", "https://other.example", "other", false},
		{"the same issuer again", "https://idp.example", "https://idp.example", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := mustLoad(t, map[string]string{"apostille.toml": base, "trust.d/other.toml": other(c.issuer, c.domain)}).Warnings
			if (len(got) > 0) != c.warns {
				t.Fatalf("warnings %v", got)
			}
			if c.warns && (got[0].Path != "trust.other.domain" || got[0].Line == 0 || !strings.Contains(got[0].Text, "head-office and other")) {
				t.Errorf("warning %+v", got[0])
			}
		})
	}
}
