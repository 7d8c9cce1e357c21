package token

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"apostille/broker/clientauth"
	"apostille/broker/oauth"
	"apostille/trust"
)

// asked is a grant that notes which policy it was asked under, and refuses.
type asked struct{ reg chan *trust.Registry }

func (asked) Name() trust.Grant                   { return trust.GrantTokenExchange }
func (asked) Credential(oauth.Params) string      { return "" }
func (asked) IssuedTokenType(oauth.Params) string { return "" }
func (a asked) Subject(_ context.Context, reg *trust.Registry, _ string, _ oauth.Params) (trust.Subject, error) {
	a.reg <- reg
	return trust.Subject{}, io.ErrUnexpectedEOF
}

type uncounted struct{}

func (uncounted) Token(string, string, time.Duration) {}
func (uncounted) Ignored()                            {}

// slowBody changes the policy when the handler comes to read the body, as an admin does whose reload falls between the header and
// the end of a body that its sender holds back.
type slowBody struct {
	io.Reader
	reload func()
}

func (b slowBody) Read(p []byte) (int, error) {
	b.reload()
	return b.Reader.Read(p)
}

// The policy used to be taken when the header had come: who held the body back got, for as long as reading may take, decisions by
// rules that a reload had replaced.
func TestA69_ASlowBodyIsJudgedByThePolicyOfItsEnd(t *testing.T) {
	t.Parallel()
	var before, after trust.Registry
	var current atomic.Pointer[Policy]
	current.Store(&Policy{Registry: &before})
	grant := asked{make(chan *trust.Registry, 1)}
	e := &Endpoint{
		Policy: current.Load, Grants: map[trust.Grant]Grant{trust.GrantTokenExchange: grant},
		Clients: &clientauth.Authenticator{Now: time.Now}, Audit: unrecorded{}, Sampled: unrecorded{}, Gate: NewGate(1),
		Remote: func(*http.Request) string { return "" }, Observer: uncounted{}, Now: time.Now,
		Log: slog.New(slog.DiscardHandler), MaxBody: 1 << 10,
	}
	for name, reload := range map[string]func(){
		"it stands":     func() {},
		"it is changed": func() { current.Store(&Policy{Registry: &after}) },
	} {
		current.Store(&Policy{Registry: &before})
		body := slowBody{strings.NewReader("grant_type=" + oauth.GrantTypeTokenExchange), reload}
		r := httptest.NewRequest(http.MethodPost, "/oauth2/token", body)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		e.ServeHTTP(httptest.NewRecorder(), r)
		if got := <-grant.reg; got != current.Load().Registry {
			t.Errorf("%s: the request was judged by another policy than the one in force", name)
		}
	}
}
