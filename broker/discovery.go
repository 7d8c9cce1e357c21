package broker

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"apostille/broker/clientauth"
	"apostille/broker/mint"
	"apostille/broker/page"
	"apostille/trust"
)

// discovery serves the authorization server metadata (RFC 8414 §2), at every well-known place.
type discovery struct {
	fixed  map[string]any
	scopes func() []string
}

func newDiscovery(d Deps, mounted []route) *discovery {
	fixed := map[string]any{
		"issuer":                   d.Issuer,
		"grant_types_supported":    d.Grants,
		"response_types_supported": []string{}, // required by RFC 8414 §2, also where there is no authorization endpoint
	}
	if d.Authorize != nil {
		maps.Copy(fixed, signIn)
	}
	authenticated(fixed, "token_endpoint", true)
	authenticated(fixed, "introspection_endpoint", d.Introspect != nil)
	authenticated(fixed, "revocation_endpoint", d.Revoke != nil)
	if d.Introspect != nil {
		fixed["introspection_signing_alg_values_supported"] = []string{"RS256"} // RFC 9701 §7
	}
	if d.EndSession != nil {
		maps.Copy(fixed, logout)
	}
	for _, r := range mounted {
		if r.metadata != "" {
			fixed[r.metadata] = d.Issuer + r.path
		}
	}
	return &discovery{fixed: fixed, scopes: d.Scopes}
}

// signIn is what the authorization endpoint can do (OpenID Connect Discovery §3, RFC 8414 §2, RFC 9207 §3). What a member's absence would
// promise is said too.
var signIn = map[string]any{
	"response_types_supported":                       []string{"code"},
	"response_modes_supported":                       []string{"query", "form_post"},
	"code_challenge_methods_supported":               []string{"S256"},
	"authorization_response_iss_parameter_supported": true,
	"subject_types_supported":                        []string{"public", "pairwise"},
	"id_token_signing_alg_values_supported":          trust.IDTokenAlgs,
	"prompt_values_supported":                        []string{"none", "login", "consent", "select_account"},
	"claims_parameter_supported":                     true,
	"request_parameter_supported":                    false,
	"request_uri_parameter_supported":                false,
	"ui_locales_supported":                           page.Languages,
	"claims_supported": slices.Concat(
		[]string{"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "sid", "at_hash"}, mint.StandardClaims()),
}

// logout is what ends with a session, and who is told (OpenID Connect Back-Channel Logout §2.1, Front-Channel Logout §3).
var logout = map[string]any{
	"backchannel_logout_supported":          true,
	"backchannel_logout_session_supported":  true,
	"frontchannel_logout_supported":         true,
	"frontchannel_logout_session_supported": true,
}

// authenticated says how clients prove themselves at an endpoint.
func authenticated(doc map[string]any, endpoint string, mounted bool) {
	if mounted {
		doc[endpoint+"_auth_methods_supported"] = clientauth.Methods
		doc[endpoint+"_auth_signing_alg_values_supported"] = clientauth.AssertionAlgs()
	}
}

// ServeHTTP answers with the metadata.
func (d *discovery) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !readOnly(w, r) {
		return
	}
	doc := make(map[string]any, len(d.fixed)+1)
	for name, value := range d.fixed {
		doc[name] = value
	}
	if scopes := d.scopes(); len(scopes) > 0 {
		slices.Sort(scopes)
		doc["scopes_supported"] = slices.Compact(scopes)
	}
	body, err := json.Marshal(doc)
	if err != nil {
		http.Error(w, "metadata cannot be written", http.StatusInternalServerError)
		return
	}
	public(w, body, "application/json")
}

// public writes a document for anybody.
func public(w http.ResponseWriter, body []byte, kind string) {
	h := w.Header()
	publish(h)
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // the client went away: nothing is left to tell it
}

// publish lets anybody read an answer, from any web page too, and keep it for five minutes.
func publish(h http.Header) { maps.Copy(h, forAll) }

var forAll = http.Header{
	"Cache-Control":               {"public, max-age=300"},
	"Access-Control-Allow-Origin": {"*"},
}

// readOnly lets GET and HEAD pass.
func readOnly(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	w.Header().Set("Allow", "GET, HEAD")
	http.Error(w, "use GET", http.StatusMethodNotAllowed)
	return false
}
