package account_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"apostille/broker/account"
	"apostille/broker/audit"
)

// trail takes records, or fails.
type trail struct{ err error }

func (t *trail) Record(context.Context, *audit.Event) error { return t.err }

func issued(sub string, n int) *audit.Event {
	return &audit.Event{Event: audit.EventIssued, Subject: sub, Client: fmt.Sprint(n)}
}

func TestTheLastTokensOfASubjectAreRemembered(t *testing.T) {
	t.Parallel()
	next := &trail{}
	r := account.NewRecent(next)
	for n := range 25 {
		for _, sub := range []string{"anna", "bert"} {
			if err := r.Record(t.Context(), issued(sub, n)); err != nil {
				t.Fatal(err)
			}
		}
	}
	got := r.Of("anna")
	if len(got) != 20 || got[0].Client != "24" || got[19].Client != "5" {
		t.Errorf("%d, from %v to %v", len(got), got[0], got[len(got)-1])
	}
	// What is not recorded, is no token or is nobody's is not remembered.
	next.err = errors.New("disk full")
	if err := r.Record(t.Context(), issued("carl", 1)); err == nil {
		t.Error("the failure is not passed on")
	}
	next.err = nil
	for _, e := range []*audit.Event{{Event: audit.EventRefused, Subject: "carl"}, {Event: audit.EventIssued}} {
		if err := r.Record(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if len(r.Of("carl"))+len(r.Of("")) != 0 {
		t.Errorf("%v", r.Of("carl"))
	}
}

func TestManyAtOnceAreAllCounted(t *testing.T) {
	t.Parallel()
	r := account.NewRecent(&trail{})
	var wg sync.WaitGroup
	for n := range 15 {
		wg.Go(func() {
			if err := r.Record(t.Context(), issued("anna", n)); err != nil {
				t.Error(err)
			}
			r.Of("anna")
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, one := range r.Of("anna") {
		seen[one.Client] = true
	}
	if len(seen) != 15 {
		t.Errorf("%d of 15", len(seen))
	}
}
