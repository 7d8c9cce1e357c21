package broker

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"apostille/broker/clientauth"
)

// discovery serves the authorization server metadata (RFC 8414 §2), at every well-known place.
type discovery struct {
	fixed  map[string]any
	scopes func() []string
}

func newDiscovery(d Deps, mounted []route) *discovery {
	fixed := map[string]any{
		"issuer":                                           d.Issuer,
		"grant_types_supported":                            d.Grants,
		"response_types_supported":                         []string{}, // required by RFC 8414 §2, and there is no authorization endpoint
		"token_endpoint_auth_methods_supported":            clientauth.Methods,
		"token_endpoint_auth_signing_alg_values_supported": clientauth.AssertionAlgs(),
	}
	for _, r := range mounted {
		if r.metadata != "" {
			fixed[r.metadata] = d.Issuer + r.path
		}
	}
	return &discovery{fixed: fixed, scopes: d.Scopes}
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
