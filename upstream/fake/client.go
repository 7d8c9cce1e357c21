package fake

import (
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"apostille/trust/jose"
)

// Client is a relying party that signs people in.
type Client struct {
	ID     string
	Secret string    // client_secret_basic and client_secret_post; "" and no Keys = a public client, with PKCE only
	Keys   *jose.Set // private_key_jwt (RFC 7523 §2.2)

	RedirectURIs         []string // exact; empty = any
	PostLogoutURIs       []string // exact; empty = any
	BackchannelLogoutURI string   // told when a session ends at PathEndSession, and by SendLogout; "" = not
}

var errClient = errors.New("no such client, or it did not authenticate")

func (p *Provider) client(id string) (Client, bool) {
	i := slices.IndexFunc(p.o.Clients, func(c Client) bool { return c.ID == id })
	if i < 0 {
		return Client{}, false
	}
	return p.o.Clients[i], true
}

// credentials reads client_secret_basic (form-encoded, RFC 6749 §2.3.1) or the form.
func credentials(r *http.Request) (id, secret string, err error) {
	user, pass, ok := r.BasicAuth()
	if !ok {
		return r.PostForm.Get("client_id"), r.PostForm.Get("client_secret"), nil
	}
	id, errID := url.QueryUnescape(user)
	secret, errSecret := url.QueryUnescape(pass)
	return id, secret, errors.Join(errID, errSecret)
}

// relyingParty authenticates a client by what it is registered with, and by nothing weaker.
func (p *Provider) relyingParty(r *http.Request) (Client, error) {
	if assertion := r.PostForm.Get("client_assertion"); assertion != "" {
		return p.byAssertion(assertion, r.PostForm.Get("client_assertion_type"))
	}
	id, secret, err := credentials(r)
	c, ok := p.client(id)
	if err != nil || !ok || c.Keys != nil || subtle.ConstantTimeCompare([]byte(c.Secret), []byte(secret)) != 1 {
		return Client{}, errClient
	}
	return c, nil
}

// byAssertion verifies a client assertion (RFC 7523 §3): signature, iss, sub, aud (the issuer, and nothing else), exp and jti.
func (p *Provider) byAssertion(raw, typ string) (Client, error) {
	t, err := jose.Parse(raw)
	if err != nil || typ != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
		return Client{}, errClient
	}
	id, _ := t.Claims["sub"].(string)
	c, ok := p.client(id)
	exp, inTime := jose.NumericDate(t.Claims["exp"])
	if !ok || t.Claims["iss"] != id || t.Claims["aud"] != p.o.Issuer || t.Claims["jti"] == nil || !inTime || !p.o.Now().Before(exp) {
		return Client{}, errClient
	}
	for _, k := range c.Keys.Lookup(t.Header.Kid, t.Header.Alg) {
		if t.Verify(k) == nil {
			return c, nil
		}
	}
	return Client{}, errClient
}
