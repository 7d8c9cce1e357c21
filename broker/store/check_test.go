package store_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"apostille/broker/store"
)

func TestPendingHash(t *testing.T) {
	t.Parallel()
	a, err := store.PendingHash("login", "a")
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range [][2]string{{"logina", ""}, {"", "a"}} {
		if _, err := store.PendingHash(other[0], other[1]); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("%q: error %v, want ErrInvalid", other, err)
		}
	}
	for _, other := range [][2]string{{"logi", "na"}, {"par", "a"}, {"login", "b"}} {
		if b, err := store.PendingHash(other[0], other[1]); err != nil || b == a {
			t.Errorf("%q: the same hash, or error %v", other, err)
		}
	}
}

func TestCutAgent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, want string }{
		"a short one stays":                      {"Firefox", "Firefox"},
		"200 bytes stay":                         {strings.Repeat("a", 200), strings.Repeat("a", 200)},
		"a long one is cut":                      {strings.Repeat("a", 201), strings.Repeat("a", 200)},
		"no character is cut in two":             {"a" + strings.Repeat("é", 150), "a" + strings.Repeat("é", 99)},
		"what is not UTF-8 is left out":          {"a\xff\xfeb", "ab"},
		"nothing of it stays, if it is all that": {"\xff", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := store.CutAgent(c.in); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestRotate(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	later := now.Add(time.Hour)
	fresh := store.RefreshState{Refresh: store.Refresh{Until: later}, Family: store.Family{Client: "portal", Until: later}}
	rotated := fresh
	rotated.Rotated, rotated.Grace = now.Add(-5*time.Second), 10*time.Second
	with := func(s store.RefreshState, change func(*store.RefreshState)) store.RefreshState { change(&s); return s }
	for name, c := range map[string]struct {
		state store.RefreshState
		grace time.Duration
		want  store.Rotated
	}{
		"a fresh token is rotated":                  {fresh, 0, store.RotationDone},
		"a used one within grace is repeated":       {rotated, 10 * time.Second, store.RotationRepeat},
		"a used one without grace is reuse":         {rotated, 0, store.RotationReused},
		"a shorter grace counts at once":            {rotated, 5 * time.Second, store.RotationReused},
		"a longer grace does not":                   {with(rotated, func(s *store.RefreshState) { s.Grace = 5 * time.Second }), time.Minute, store.RotationReused},
		"a used one whose successor was used":       {with(rotated, func(s *store.RefreshState) { s.Spent = true }), 10 * time.Second, store.RotationReused},
		"another client's":                          {with(fresh, func(s *store.RefreshState) { s.Family.Client = "other" }), 0, store.RotationUnknown},
		"no client's at all":                        {store.RefreshState{}, 0, store.RotationUnknown},
		"one that is over":                          {with(fresh, func(s *store.RefreshState) { s.Until = now }), 0, store.RotationUnknown},
		"one of a family that is over":              {with(fresh, func(s *store.RefreshState) { s.Family.Until = now }), 0, store.RotationUnknown},
		"one of a family that was logged out":       {with(fresh, func(s *store.RefreshState) { s.Family.Ended, s.Family.Why = now, store.WhyLogout }), 0, store.RotationUnknown},
		"a repeat in a family that was logged out":  {with(rotated, func(s *store.RefreshState) { s.Family.Ended, s.Family.Why = now, store.WhyLogout }), time.Minute, store.RotationUnknown},
		"one of a family that ended because of use": {with(fresh, func(s *store.RefreshState) { s.Family.Ended, s.Family.Why = now, store.WhyReuse }), 0, store.RotationReused},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := c.state.Rotate(store.Rotation{Client: "portal", Grace: c.grace}, now); got != c.want {
				t.Errorf("outcome %d, want %d", got, c.want)
			}
		})
	}
}
