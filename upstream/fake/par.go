package fake

import (
	"crypto/rand"
	"maps"
	"net/http"
)

// push takes a pushed authorization request (RFC 9126 §2).
func (p *Provider) push(w http.ResponseWriter, r *http.Request, _ Faults) {
	w.Header().Set("Cache-Control", "no-store")
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil || r.Method != http.MethodPost || r.PostForm.Has("request_uri") {
		tokenError(w, http.StatusBadRequest, "invalid_request", "post a form")
		return
	}
	c, err := p.relyingParty(r)
	if err != nil {
		tokenError(w, http.StatusUnauthorized, "invalid_client", err.Error())
		return
	}
	form := maps.Clone(r.PostForm)
	for _, credential := range []string{"client_secret", "client_assertion", "client_assertion_type"} {
		delete(form, credential)
	}
	form.Set("client_id", c.ID)
	if _, wrong := p.readRequest(form); wrong != "" {
		tokenError(w, http.StatusBadRequest, "invalid_request", wrong)
		return
	}
	uri := "urn:ietf:params:oauth:request_uri:" + rand.Text()
	p.mu.Lock()
	p.memory.pushed[uri] = pushed{form: form, expires: p.o.Now().Add(pushedLife)}
	p.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write(mustJSON(map[string]any{"fake": Notice, "request_uri": uri, "expires_in": int(pushedLife.Seconds())}))
}
