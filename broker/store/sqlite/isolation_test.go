package sqlite

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"apostille/broker/store"
	"apostille/broker/store/storetest"
)

func TestABatchOutlivesAWriteThatFails(t *testing.T) {
	t.Parallel()
	t.Run("it is undone alone, with all it had written", func(t *testing.T) {
		t.Parallel()
		s := openTest(t, filepath.Join(t.TempDir(), "x.db"), nil)
		own := errors.New("its own")
		fails := newTask("fails", func(b *batch) error {
			if err := b.addFamily(store.Family{ID: "half", Until: far()}); err != nil {
				return err
			}
			return own
		})
		taken := newTask("taken", func(b *batch) error {
			for range 2 {
				if _, err := b.exec(`INSERT INTO revoked (jti, until) VALUES ('twice', 1)`); err != nil {
					return err
				}
			}
			return nil
		})
		good := func(id string) *task {
			return newTask("good", func(b *batch) error { return b.addFamily(store.Family{ID: id, Until: far()}) })
		}
		before, after := good("before"), good("after")
		if err := s.commit([]*task{before, fails, taken, after}); err != nil {
			t.Fatal(err)
		}
		if before.err != nil || after.err != nil || !errors.Is(fails.err, own) || !errors.Is(taken.err, store.ErrInvalid) {
			t.Errorf("errors %v, %v, %v, %v", before.err, fails.err, taken.err, after.err)
		}
		for id, want := range map[string]bool{"before": true, "half": false, "after": true} {
			if _, ok, err := s.Family(t.Context(), id); ok != want || err != nil {
				t.Errorf("family %s: %v, error %v; want %v", id, ok, err, want)
			}
		}
		if revoked, err := s.TokenRevoked(t.Context(), "twice", ""); revoked || err != nil {
			t.Errorf("the half that was written: %v, error %v", revoked, err)
		}
	})
	t.Run("a caller who leaves takes nobody along", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "x.db")
		s, other := openTest(t, path, nil), openTest(t, path, nil)
		for _, id := range []string{"left", "stayed"} {
			if err := beginFamily(s, id); err != nil {
				t.Fatal(err)
			}
		}
		tx, err := other.write.Begin()
		if err != nil {
			t.Fatal(err)
		}
		rotate := func(ctx context.Context, id string, done chan<- error) {
			_, _, err := s.Rotate(ctx, store.Rotation{Old: sum(id), Client: "portal", Next: store.Refresh{Hash: sum(id + "1"), Until: far()}})
			done <- err
		}
		ctx, cancel := context.WithCancel(t.Context())
		left, stayed := make(chan error, 1), make(chan error, 1)
		go rotate(ctx, "left", left)
		go rotate(t.Context(), "stayed", stayed)
		cancel()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("the one who left: %v", err)
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		if err := <-stayed; err != nil {
			t.Errorf("the one who stayed: %v", err)
		}
	})
}

// A104: what could not be revoked is an error, and can be revoked once the store is well again.
func TestARevocationThatWasNotWrittenIsAnError(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	s, other := openTest(t, path, nil), openTest(t, path, nil)
	if err := beginFamily(s, "f"); err != nil {
		t.Fatal(err)
	}
	s.patience = 10 * time.Millisecond
	tx, err := other.write.Begin()
	if err != nil {
		t.Fatal(err)
	}
	revoke := func() (token, family error) {
		token = s.RevokeToken(t.Context(), "jti", far())
		_, family = s.EndFamilies(t.Context(), store.FamilyQuery{ID: "f"}, "revoked")
		return token, family
	}
	if token, family := revoke(); token == nil || family == nil {
		t.Errorf("errors %v and %v while nothing can be written", token, family)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if token, family := revoke(); token != nil || family != nil {
		t.Errorf("errors %v and %v afterwards", token, family)
	}
	for _, of := range [][2]string{{"jti", ""}, {"another", "f"}} {
		if revoked, err := s.TokenRevoked(t.Context(), of[0], of[1]); !revoked || err != nil {
			t.Errorf("%v: revoked = %v, error %v", of, revoked, err)
		}
	}
}

// What is over goes at its time, and not before.
func TestSweepOfASignIn(t *testing.T) {
	t.Parallel()
	clock := storetest.NewClock()
	s := openTest(t, filepath.Join(t.TempDir(), "x.db"), clock.Now)
	start := clock.Now()
	in := func(d time.Duration) time.Time { return start.Add(d) }
	ctx := t.Context()
	for _, err := range []error{
		s.PutPending(ctx, "login", "a", store.Pending{Value: []byte("x"), Until: in(10 * time.Minute)}),
		s.PutCode(ctx, store.Code{Hash: sum("open"), Until: in(time.Minute)}),
		s.PutCode(ctx, store.Code{Hash: sum("spent"), Until: in(time.Minute)}),
		s.CreateSession(ctx, sum("s"), store.Session{
			ID: "s", IdleUntil: in(time.Hour), Until: in(2 * time.Hour), Identities: []store.Identity{{Trust: "t", Sub: "a", Until: in(time.Hour)}},
		}),
		s.PutOpaque(ctx, store.Opaque{Hash: sum("o"), Until: in(time.Hour)}),
		s.RevokeToken(ctx, "jti", in(time.Hour)),
		s.PutDeliveries(ctx, []store.Delivery{{ID: "done", Done: start}, {ID: "failed", Failed: start}, {ID: "waits"}}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	first, err := s.RedeemCode(ctx, sum("spent"), store.Family{ID: "f", Client: "c", Until: in(3 * time.Hour)}, &store.Refresh{Hash: sum("r0"), Until: in(2 * time.Hour)})
	if err != nil || !first {
		t.Fatal(first, err)
	}
	_, _, err = s.Rotate(ctx, store.Rotation{
		Old: sum("r0"), Client: "c", Next: store.Refresh{Hash: sum("r1"), Until: in(3 * time.Hour)}, Answer: []byte("sealed"), Grace: 10 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	sweep := func() {
		for w := (sweeper{store: s}); ; {
			if w.step(); !w.running {
				return
			}
		}
	}
	left := func() map[string]int {
		out := map[string]int{}
		for name, query := range map[string]string{
			"answers": `SELECT count(*) FROM refresh WHERE answer IS NOT NULL`, "pendings": `SELECT count(*) FROM pendings`,
			"codes": `SELECT count(*) FROM codes`, "refresh": `SELECT count(*) FROM refresh`, "families": `SELECT count(*) FROM families`,
			"sessions": `SELECT count(*) FROM sessions`, "identities": `SELECT count(*) FROM identities`, "opaque": `SELECT count(*) FROM opaque`,
			"revoked": `SELECT count(*) FROM revoked`, "deliveries": `SELECT count(*) FROM deliveries`,
		} {
			var n int
			if err := s.read.QueryRow(query).Scan(&n); err != nil {
				t.Error(err)
			}
			out[name] = n
		}
		return out
	}
	want := map[string]int{
		"answers": 1, "pendings": 1, "codes": 2, "refresh": 2, "families": 1, "sessions": 1, "identities": 1, "opaque": 1, "revoked": 1, "deliveries": 3,
	}
	for _, step := range []struct {
		at    time.Duration
		what  string
		left  int
		other string // goes at the same time
	}{
		{0, "answers", 1, ""},
		{10 * time.Second, "answers", 0, ""},
		{10 * time.Minute, "pendings", 0, ""},
		{time.Minute + store.CodeKept, "codes", 1, ""},
		{time.Hour, "opaque", 0, ""},
		{time.Minute + store.RedeemedKept, "codes", 0, ""},
		{time.Hour + store.RevocationKept, "revoked", 0, ""},
		{2 * time.Hour, "sessions", 0, "identities"},
		{2*time.Hour + store.RefreshKept, "refresh", 1, ""},
		{3*time.Hour + store.RefreshKept, "refresh", 0, ""},
		{3*time.Hour + store.FamilyKept, "families", 0, ""},
		{store.DeliveryKept, "deliveries", 1, ""},
	} {
		for _, at := range []time.Duration{step.at - time.Microsecond, step.at} {
			clock.Add(in(at).Sub(clock.Now()))
			if at == step.at {
				want[step.what] = step.left
				if step.other != "" {
					want[step.other] = step.left
				}
			}
			sweep()
			for name, n := range left() {
				if n != want[name] {
					t.Errorf("after %v %d %s are left, want %d", at, n, name, want[name])
				}
			}
		}
	}
}
