package family_test

import (
	"net/http"
	"net/url"
	"testing"

	"apostille/broker/family"
	"apostille/broker/token"
	"apostille/trust"
)

// Anybody can send the client_id of a public application. Such a request used to count as one of a client that has proved itself: each was
// recorded in full, and the application's limit was used up for its people.
func TestA120_WhoNamesAPublicApplicationHasProvedNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	sampled := newBench(t) // its events are what was sampled here
	b.Sampled = sampled
	good := codeForm(b.code(t, func(s *family.SignIn) { s.Client = "phone" }))
	b.policy.Limits = token.NewLimits(token.Rate{}, token.Rate{PerSecond: 1e-6, Burst: 1})
	for _, form := range []url.Values{codeForm("guessed"), refreshForm("guessed"), codeForm("guessed")} {
		if g := b.ask("phone", form); g.status != http.StatusBadRequest || g.str("error") != "invalid_grant" {
			t.Errorf("%d %s", g.status, g.text)
		}
	}
	if len(b.events) != 0 || len(sampled.events) != 3 || sampled.last().Reason != string(trust.ReasonCode) {
		t.Errorf("recorded %+v, sampled %+v", b.events, sampled.events)
	}
	granted(t, b.ask("phone", good)) // the twin: who has a code is no stranger, and finds the limit untouched
	if len(b.events) != 1 || b.last().Client != "phone" {
		t.Errorf("recorded %+v", b.events)
	}
	again := codeForm(b.code(t, func(s *family.SignIn) { s.Client = "phone" }))
	if g := b.ask("phone", again); g.status != http.StatusTooManyRequests {
		t.Errorf("beyond the limit: %d %s", g.status, g.text)
	}
	b.policy.Limits = nil
	granted(t, b.ask("phone", again)) // and the code was not used up
	before := len(b.events)
	if g := b.ask("shop", codeForm("guessed")); g.status != http.StatusBadRequest || len(b.events) != before+1 {
		t.Errorf("a client with a secret: %d %s, recorded %+v", g.status, g.text, b.last())
	}
}
