package bearer

import (
	"encoding/json"
	"net/http"
)

// resourceMetadata is the document of RFC 9728 §2. The token endpoint is found through the authorization server.
type resourceMetadata struct {
	Resource             string   `json:"resource"`
	ResourceName         string   `json:"resource_name,omitempty"`
	AuthorizationServers []string `json:"authorization_servers"`
	ScopesSupported      []string `json:"scopes_supported,omitempty"`
	BearerMethods        []string `json:"bearer_methods_supported"`
	Documentation        string   `json:"resource_documentation,omitempty"`
}

// MetadataPath is where Metadata has to be mounted: /.well-known/oauth-protected-resource, followed by the resource's path.
func (g *Guard) MetadataPath() string { return g.metadataPath }

// Metadata serves the API's protected resource metadata (RFC 9728 §3.2) to anyone.
func (g *Guard) Metadata() http.Handler {
	doc, err := json.Marshal(resourceMetadata{
		Resource:             g.c.Resource,
		ResourceName:         g.c.Name,
		AuthorizationServers: []string{g.c.Issuer},
		ScopesSupported:      g.c.Scopes,
		BearerMethods:        []string{"header"},
		Documentation:        g.c.Documentation,
	})
	if err != nil {
		panic("bearer: " + err.Error()) // strings always marshal
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Cache-Control", "public, max-age=300")
		h.Set("Access-Control-Allow-Origin", "*")
		_, _ = w.Write(doc)
	})
}
