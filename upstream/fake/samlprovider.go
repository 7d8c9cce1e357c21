package fake

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"apostille/trust/jose"
)

// Paths below the URL of a SAMLProvider. They stand on a host of its own.
const (
	PathSSO      = "/sso"
	PathSLO      = "/slo"
	PathMetadata = "/metadata"
)

// SAMLOptions of a SAMLProvider.
type SAMLOptions struct {
	URL      string           // required: where it is reached, without trailing slash or path
	EntityID string           // default URL + "/entity"
	Name     string           // shown on its page; default "Fake SAML office"
	Alg      jose.Alg         // of its key; default RS256
	Now      func() time.Time // default time.Now
	People   []Person         // default DemoPeople()
	// Parties finds a service provider by its entityID.
	Parties func(entityID string) (SAMLParty, bool)
}

// SAMLProvider is a fake SAML 2.0 identity provider that people sign in at, with one click and no password. It is an http.Handler and safe for
// concurrent use.
type SAMLProvider struct {
	*IdP
	o SAMLOptions

	mu       sync.Mutex
	faults   SAMLFaults
	sessions map[string]*samlSession // by cookie
	asked    map[string]samlRequest  // that wait for somebody to press a button
}

type samlSession struct {
	username, index string
	authnAt         time.Time
	parties         map[string]bool // entityIDs that were told of it
}

// SAMLFaults are the ways in which a SAMLProvider goes wrong. The zero value is one that works. Several may be on at once.
type SAMLFaults struct {
	AnyRequest bool                                        // does not look at the signatures of requests
	Status     string                                      // answers with this status, such as "AuthnFailed", and no assertion
	Change     func(a *Assertion)                          // before the assertion is written
	Sign       string                                      // what it signs: "assertion" (also ""), "response", "both" or "none"
	Encrypt    bool                                        // encrypts the assertion
	Response   func(envelope string) string                // changes the Response before it is signed
	Posted     func(response string) string                // changes the Response after all is signed
	Form       func(action string, form url.Values) string // changes what is posted; answers where to
}

// NewSAMLProvider makes one with a fresh key.
func NewSAMLProvider(o SAMLOptions) *SAMLProvider {
	if o.EntityID == "" {
		o.EntityID = o.URL + "/entity"
	}
	if o.Name == "" {
		o.Name = "Fake SAML office"
	}
	if o.Alg == "" {
		o.Alg = "RS256"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.People == nil {
		o.People = DemoPeople()
	}
	return NewSAMLProviderWith(NewIdP(o.EntityID, o.Alg), o)
}

// NewSAMLProviderWith makes one of an IdP that is there.
func NewSAMLProviderWith(idp *IdP, o SAMLOptions) *SAMLProvider {
	return &SAMLProvider{IdP: idp, o: o, sessions: map[string]*samlSession{}, asked: map[string]samlRequest{}}
}

// Break switches faults on, in place of those that were on before; Repair switches all off.
func (p *SAMLProvider) Break(f SAMLFaults) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = f
}

// Repair switches all faults off.
func (p *SAMLProvider) Repair() { p.Break(SAMLFaults{}) }

// Sessions says how many browsers a person is signed in with.
func (p *SAMLProvider) Sessions(username string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.sessions {
		if s.username == username {
			n++
		}
	}
	return n
}

// ServeHTTP answers one request.
func (p *SAMLProvider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(FakeHeader, Notice)
	if err := r.ParseForm(); err != nil {
		p.refuse(w, "that is no form")
		return
	}
	switch {
	case r.URL.Path == PathSSO && r.Form.Has("person"):
		p.chosen(w, r)
	case r.URL.Path == PathSSO:
		p.sso(w, r)
	case r.URL.Path == PathSLO:
		p.slo(w, r)
	case r.URL.Path == PathMetadata:
		w.Header().Set("Content-Type", "application/samlmetadata+xml")
		_, _ = w.Write(p.Metadata())
	case r.URL.Path == "/":
		writePage(w, http.StatusOK, "message", map[string]any{"Title": p.o.Name, "Text": "People of this office sign in elsewhere with it."})
	default:
		notFound(w, r, Faults{})
	}
}

// sso takes an AuthnRequest: who has a session goes back at once.
func (p *SAMLProvider) sso(w http.ResponseWriter, r *http.Request) {
	ask, err := p.readRequest(r)
	if err != nil {
		p.refuse(w, err.Error())
		return
	}
	if c, err := r.Cookie(cookieName); err == nil && !ask.force {
		p.mu.Lock()
		s := p.sessions[c.Value]
		p.mu.Unlock()
		if s != nil {
			p.answer(w, ask, s)
			return
		}
	}
	id := rand.Text()
	p.mu.Lock()
	p.asked[id] = ask
	p.mu.Unlock()
	writePage(w, http.StatusOK, "login", map[string]any{
		"Title": "Sign in at " + p.o.Name, "Action": p.o.URL + PathSSO + "?asked=" + id, "People": p.o.People})
}

// chosen begins the session of whose button was pressed.
func (p *SAMLProvider) chosen(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	ask, ok := p.asked[r.Form.Get("asked")]
	delete(p.asked, r.Form.Get("asked"))
	p.mu.Unlock()
	if !ok {
		p.refuse(w, "nobody asked for a login")
		return
	}
	username := r.Form.Get("person")
	if !slices.ContainsFunc(p.o.People, func(h Person) bool { return h.Username == username }) {
		p.respond(w, ask, p.response(ask, "AuthnFailed", ""), p.faulty())
		return
	}
	s := &samlSession{username: username, index: "_s" + rand.Text(), authnAt: p.o.Now(), parties: map[string]bool{}}
	id := rand.Text()
	p.mu.Lock()
	p.sessions[id] = s
	p.mu.Unlock()
	u, err := url.Parse(p.o.URL)
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: id, Path: "/", HttpOnly: true, Secure: err == nil && u.Scheme == "https", SameSite: http.SameSiteLaxMode})
	p.answer(w, ask, s)
}

func (p *SAMLProvider) faulty() SAMLFaults {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults
}

func (p *SAMLProvider) refuse(w http.ResponseWriter, text string) {
	writePage(w, http.StatusBadRequest, "message", map[string]any{"Title": "That did not work", "Text": text})
}

// person finds somebody by name.
func (p *SAMLProvider) person(username string) Person {
	i := slices.IndexFunc(p.o.People, func(h Person) bool { return h.Username == username })
	if i < 0 {
		return Person{}
	}
	return p.o.People[i]
}

// NameID is what a person is called in assertions: persistent, and the same for everybody.
func (p *SAMLProvider) NameID(username string) string {
	return fmt.Sprintf("fake-%s-%s", p.o.Alg, username)
}

// Metadata is what service providers need to know of it, signed.
func (p *SAMLProvider) Metadata() []byte {
	place := func(element, binding, path string) string {
		return fmt.Sprintf(`<md:%s Binding="urn:oasis:names:tc:SAML:2.0:bindings:%s" Location="%s"></md:%s>`, element, binding, escape(p.o.URL+path), element)
	}
	return []byte(p.SignXML(fmt.Sprintf(`<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" ID="_fake" entityID="%s">`+
		`<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:KeyDescriptor use="signing">`+
		`<ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>%s</md:IDPSSODescriptor></md:EntityDescriptor>`,
		escape(p.EntityID), base64.StdEncoding.EncodeToString(p.certificate),
		place("SingleLogoutService", "HTTP-Redirect", PathSLO)+place("SingleSignOnService", "HTTP-Redirect", PathSSO)+place("SingleSignOnService", "HTTP-POST", PathSSO))))
}
