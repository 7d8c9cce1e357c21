package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"time"
)

// upstreams serves the key sets of any number of issuers from one loopback address and counts what is fetched. All
// issuers sign with one key.
type upstreams struct {
	server  *httptest.Server
	set     []byte
	fetches atomic.Int64
	answer  atomic.Int32
}

// How the key sets answer.
const (
	answerWell = iota
	answerError
	answerSlowly // after 30 s
)

func newUpstreams(key *upstream) (*upstreams, error) {
	set, err := key.jwks(1)
	if err != nil {
		return nil, err
	}
	u := &upstreams{set: set}
	u.server = httptest.NewServer(u)
	return u, nil
}

func (u *upstreams) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	u.fetches.Add(1)
	switch u.answer.Load() {
	case answerError:
		http.Error(w, "out of order", http.StatusInternalServerError)
		return
	case answerSlowly:
		select {
		case <-time.After(30 * time.Second):
		case <-r.Context().Done():
			return
		}
	}
	w.Header().Set("Content-Type", "application/json")
	if issuer, found := strings.CutSuffix(r.URL.Path, discoveryPath); found {
		_, _ = w.Write(u.document(u.server.URL + issuer))
		return
	}
	_, _ = w.Write(u.set)
}

const discoveryPath = "/.well-known/openid-configuration"

// document is the discovery document of one issuer (OpenID Connect Discovery 1.0 §3).
func (u *upstreams) document(issuer string) []byte {
	return fmt.Appendf(nil, `{"issuer":%q,"authorization_endpoint":%q,"token_endpoint":%q,"jwks_uri":%q,"response_types_supported":["code"],`+
		`"subject_types_supported":["public"],"id_token_signing_alg_values_supported":["RS256"]}`, issuer, issuer+"/auth", issuer+"/token", issuer+"/jwks")
}

func (u *upstreams) fetched() int64 { return u.fetches.Load() }

// source is a setup's keys.
func (u *upstreams) source(i int) (issuer, keys string) {
	return issuerName(i), fmt.Sprintf("{ jwks_url = %q }", fmt.Sprintf("%s/%d/jwks", u.server.URL, i))
}

// discovered is a setup's keys where each is found from its issuer.
func (u *upstreams) discovered(i int) (issuer, keys string) {
	return fmt.Sprintf("%s/%d", u.server.URL, i), "{ discovery = true }"
}

func (u *upstreams) close() {
	u.server.CloseClientConnections()
	u.server.Close()
}
