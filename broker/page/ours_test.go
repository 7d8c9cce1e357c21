package page

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestOnlyAFormOfOurOwnPagesIsOurs(t *testing.T) {
	t.Parallel()
	const issuer = "https://id.example/broker"
	for name, c := range map[string]struct {
		host   string
		header map[string]string
		issuer string
		ours   bool
	}{
		"a browser says it is":                          {"id.example", map[string]string{"Sec-Fetch-Site": "same-origin"}, issuer, true},
		"a browser says it is another site":             {"id.example", map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, issuer, false},
		"a browser says it is a sibling host":           {"id.example", map[string]string{"Sec-Fetch-Site": "same-site", "Origin": "https://x.id.example"}, issuer, false},
		"an older browser with our origin":              {"id.example", map[string]string{"Origin": "https://id.example"}, issuer, true},
		"an older browser with another origin":          {"id.example", map[string]string{"Origin": "https://evil.example"}, issuer, false},
		"an older browser that hides the origin":        {"id.example", map[string]string{"Origin": "null"}, issuer, false},
		"behind a proxy that calls us by another name":  {"10.0.0.7:8080", map[string]string{"Sec-Fetch-Site": "same-site", "Origin": "https://id.example"}, issuer, true},
		"our host by http is another origin":            {"10.0.0.7:8080", map[string]string{"Origin": "http://id.example"}, issuer, false},
		"a program, which has no cookies of anybody":    {"id.example", nil, issuer, true},
		"an issuer that is no URL leaves the host":      {"id.example", map[string]string{"Origin": "https://id.example"}, "::", true},
		"an issuer that is no URL opens nothing beside": {"id.example", map[string]string{"Origin": "https://other.example"}, "::", false},
	} {
		r := httptest.NewRequest(http.MethodPost, "https://"+c.host+"/broker/account/end", nil)
		r.Host = c.host
		for k, v := range c.header {
			r.Header.Set(k, v)
		}
		if err := Ours(r, c.issuer); (err == nil) != c.ours {
			t.Errorf("%s: %v", name, err)
		}
	}
}
