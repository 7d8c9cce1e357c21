package token

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"apostille/broker/clientauth"
	"apostille/broker/oauth"
	"apostille/exchange"
	"apostille/trust"
)

// refusing is a grant that refuses for one reason.
type refusing struct {
	asked
	reason trust.Reason
}

func (g refusing) Subject(context.Context, *trust.Registry, string, oauth.Params) (trust.Subject, error) {
	return trust.Subject{}, &exchange.Refusal{Reason: g.reason}
}

// Every answer of 503 used to be a line in the log, though any stranger can cause it: a full house, or an unsigned token that
// names an issuer that is down.
func TestR13_AFloodOfStrangersDoesNotFillTheLog(t *testing.T) {
	t.Parallel()
	for reason, logged := range map[trust.Reason]bool{
		trust.ReasonOverloaded:      false,
		trust.ReasonKeysUnavailable: false,
		trust.ReasonStore:           true, // ours to mend
		trust.ReasonPanic:           true,
	} {
		var log bytes.Buffer
		e := &Endpoint{
			Policy:  func() *Policy { return &Policy{Registry: &trust.Registry{}} },
			Grants:  map[trust.Grant]Grant{trust.GrantTokenExchange: refusing{reason: reason}},
			Clients: &clientauth.Authenticator{Now: time.Now}, Audit: unrecorded{}, Sampled: unrecorded{}, Gate: NewGate(1),
			Remote: func(*http.Request) string { return "" }, Observer: uncounted{}, Now: time.Now,
			Log: slog.New(slog.NewTextHandler(&log, nil)), MaxBody: 1 << 10,
		}
		r := httptest.NewRequest(http.MethodPost, "/oauth2/token", strings.NewReader("grant_type="+oauth.GrantTypeTokenExchange))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		if w.Code < 500 {
			t.Errorf("%s: answered %d", reason, w.Code)
		}
		if got := log.Len() > 0; got != logged {
			t.Errorf("%s: logged %v, want %v: %s", reason, got, logged, log.String())
		}
	}
}
