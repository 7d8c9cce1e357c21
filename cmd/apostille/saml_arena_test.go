package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"apostille/broker/audit"
	"apostille/broker/threat"
	"apostille/upstream/fake"
)

// hall is an arena with an office that speaks SAML.
type hall struct {
	*arena
	saml *fake.SAMLProvider
}

// hallTOML is the trust in it: its people sign in, and its assertions are exchanged.
const hallTOML = `
[trust.hall]
name = "City Hall"
issuer = "@hall@/entity"
keys = { certificates = ["hall.pem"] }
attribute_scopes = ["hq.hmart.example"]
require = { department = ["logistics"] }

[trust.hall.login]
protocol = "saml"
sso_url = "@hall@/sso"
slo_url = "@hall@/slo"
logout = true
acr = { "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport" = "password", "https://refeds.org/profile/mfa" = "mfa" }

[trust.hall.exchange]
saml2 = {}

[[trust.hall.grant]]
clients = ["portal"]
sign_in = true

[[trust.hall.grant]]
clients = ["portal"]
api = "warehouse"
scopes = ["stock.read"]

[limits]
`

// newHall starts a broker with the SAML office; change edits the TOML.
func newHall(t testing.TB, change ...string) *hall {
	t.Helper()
	return newHallWith(t, func(string) {}, change...)
}

// newHallWith also writes files beside the configuration.
func newHallWith(t testing.TB, files func(dir string), change ...string) *hall {
	t.Helper()
	h := &hall{arena: newParties(t, "ES256")}
	var handler atomic.Pointer[fake.SAMLProvider]
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.Load().ServeHTTP(w, r) }))
	at := "http://" + s.Listener.Addr().String()
	h.saml = fake.NewSAMLProvider(fake.SAMLOptions{URL: at, Parties: h.party})
	handler.Store(h.saml)
	s.Start()
	t.Cleanup(s.Close)
	writeFile(t, filepath.Join(h.dir, "hall.pem"), h.saml.PEM())
	files(h.dir)
	h.begin(t, append([]string{"[limits]\n", strings.ReplaceAll(hallTOML, "@hall@", at)}, change...)...)
	return h
}

// party is the broker as its own metadata describe it.
func (h *hall) party(entityID string) (fake.SAMLParty, bool) {
	path := "/saml/metadata"
	if strings.Contains(entityID, "campus-sp") {
		path += "/hall"
	}
	p, err := fake.ReadSAMLParty(h.fetch(path).Body.Bytes())
	return p, err == nil && p.EntityID == entityID
}

// fetch is a request without a browser.
func (h *hall) fetch(path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, ours+path, nil))
	return w
}

// atHall opens the hall's login page.
func (h *hall) atHall(t testing.TB, b *fake.Browser, more ...string) *fake.Page {
	t.Helper()
	page, err := b.Open(authorizeURL(append([]string{"idp_hint", "hall"}, more...)...))
	if err == nil {
		page, err = b.Settle(page)
	}
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// signInAtHall signs somebody in, and returns where that ended.
func (h *hall) signInAtHall(t testing.TB, b *fake.Browser, person string, more ...string) *fake.Page {
	t.Helper()
	page := h.atHall(t, b, more...)
	if page.Status == 0 {
		return page
	}
	page, err := b.SignIn(page, person)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// acsEntry is the way in for Responses. What is sent is done by the office itself, by its faults; the input names them.
func (h *hall) acsEntry(faults map[string]fake.SAMLFaults) threat.Entry {
	return threat.Entry{Name: "assertion consumer service", Send: func(t testing.TB, in threat.Input) threat.Outcome {
		t.Helper()
		h.mu.Lock()
		defer h.mu.Unlock()
		b := h.browser()
		b.Stop = func(u *url.URL) bool {
			return strings.HasPrefix(u.String(), ours+"/oauth2/authorize") && u.Query().Has("login")
		}
		page := h.atHall(t, b)
		h.saml.Break(faults[in.Token])
		defer h.saml.Repair()
		trail, writes := len(h.trail.String()), h.store.writes.Load()
		page, err := b.SignIn(page, "alice")
		if err != nil {
			t.Fatal(err)
		}
		out := threat.Outcome{Status: page.Status, Audit: everyEvent(t, h.trail.since(trail)), StoreWrites: int(h.store.writes.Load() - writes)}
		if page.Status == 0 {
			out.Status = http.StatusOK
		} else {
			out.Error = "a page that says why not"
		}
		return out
	}}
}

// everyEvent reads the records of logins in a trail.
func everyEvent(t testing.TB, trail string) (out []audit.Event) {
	t.Helper()
	for line := range strings.SplitSeq(strings.TrimSpace(trail), "\n") {
		var e audit.Event
		if line == "" {
			continue
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(e.Event, "login.") {
			out = append(out, e)
		}
	}
	return out
}

// What attacks look for in a document.
var (
	signatureXML = regexp.MustCompile(`(?s)<ds:Signature .*?</ds:Signature>`)
	cipherXML    = regexp.MustCompile(`<xenc:CipherValue>([^<]*)</xenc:CipherValue>`)
	statusXML    = regexp.MustCompile(`(?s)<samlp:Status>.*</samlp:Status>`)
	idXML        = regexp.MustCompile(` ID="[^"]*"`)
	uriXML       = regexp.MustCompile(`URI="[^"]*"`)
	answersXML   = regexp.MustCompile(` InResponseTo="[^"]*"`)
)
