package keyring

import (
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"apostille/broker/store"
)

var start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// counting makes keys without cryptography: k1, k2, …
func counting() maker {
	n := 0
	return func(alg string, now time.Time) (store.Key, error) {
		n++
		return store.Key{ID: fmt.Sprintf("k%d", n), Alg: alg, Purpose: Tokens.Name, Created: now}, nil
	}
}

// states says where each key is.
func states(keys []store.Key, now time.Time) map[string]State {
	out := map[string]State{}
	for _, k := range keys {
		out[k.ID] = StateOf(k, now)
	}
	return out
}

func expect(t *testing.T, keys []store.Key, now time.Time, want map[string]State) {
	t.Helper()
	if got := states(keys, now); !maps.Equal(got, want) {
		t.Errorf("%s after the start: %v, wanted %v", now.Sub(start), got, want)
	}
}

func must(t *testing.T) func([]store.Key, error) []store.Key {
	return func(keys []store.Key, err error) []store.Key {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return keys
	}
}

func TestStateFollowsFromTheTimesAlone(t *testing.T) {
	t.Parallel()
	at := func(h int) time.Time { return start.Add(time.Duration(h) * time.Hour) }
	for _, c := range []struct {
		name string
		key  store.Key
		want State
	}{
		{"no date to sign from is standby", store.Key{}, Standby},
		{"a date ahead is scheduled", store.Key{ActiveAt: at(1)}, Scheduled},
		{"from the very date it signs", store.Key{ActiveAt: at(0)}, Active},
		{"until the date it stops it signs", store.Key{ActiveAt: at(-1), RetireAt: at(1)}, Active},
		{"from the very date it stops it is published only", store.Key{ActiveAt: at(-1), RetireAt: at(0), GoneAt: at(1)}, Retiring},
		{"from the very date it is gone it is gone", store.Key{ActiveAt: at(-2), RetireAt: at(-1), GoneAt: at(0)}, Gone},
		{"gone wins over everything", store.Key{GoneAt: at(-1)}, Gone},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := StateOf(c.key, start); got != c.want {
				t.Errorf("%s, wanted %s", got, c.want)
			}
		})
	}
}

func TestTheFirstStartMakesOneThatSignsAndOneInReserve(t *testing.T) {
	t.Parallel()
	keys := must(t)(Tokens.ensure(nil, []string{"ES256"}, start, counting()))
	expect(t, keys, start, map[string]State{"k1": Active, "k2": Standby})
	again := must(t)(Tokens.ensure(keys, []string{"ES256"}, start.Add(time.Hour), counting()))
	if len(again) != 2 {
		t.Errorf("a second start made %d keys", len(again)-2)
	}
}

func TestARotationPublishesADayBeforeAndLingersAfter(t *testing.T) {
	t.Parallel()
	make := counting()
	keys := must(t)(Tokens.ensure(nil, []string{"ES256"}, start, make))
	keys = must(t)(Tokens.rotate(keys, "ES256", start.Add(time.Hour), make))
	use := start.Add(Tokens.PublishBefore) // the standby has been published since the start

	expect(t, keys, use.Add(-time.Second), map[string]State{"k1": Active, "k2": Scheduled, "k3": Standby})
	expect(t, keys, use, map[string]State{"k1": Retiring, "k2": Active, "k3": Standby})
	expect(t, keys, use.Add(Tokens.Linger-time.Second), map[string]State{"k1": Retiring, "k2": Active, "k3": Standby})
	expect(t, keys, use.Add(Tokens.Linger), map[string]State{"k1": Gone, "k2": Active, "k3": Standby})
	left := must(t)(Tokens.ensure(keys, []string{"ES256"}, use.Add(Tokens.Linger), make))
	expect(t, left, use.Add(Tokens.Linger), map[string]State{"k2": Active, "k3": Standby})
}

func TestAStandbyThatWasPublishedLongEnoughSignsAtOnce(t *testing.T) {
	t.Parallel()
	make := counting()
	keys := must(t)(Tokens.ensure(nil, []string{"ES256"}, start, make))
	later := start.Add(Tokens.PublishBefore + time.Minute)
	expect(t, must(t)(Tokens.rotate(keys, "ES256", later, make)), later, map[string]State{"k1": Retiring, "k2": Active, "k3": Standby})
}

func TestARotationUnderWayIsNotStartedTwice(t *testing.T) {
	t.Parallel()
	make := counting()
	keys := must(t)(Tokens.ensure(nil, []string{"ES256"}, start, make))
	keys = must(t)(Tokens.rotate(keys, "ES256", start, make))
	if _, err := Tokens.rotate(keys, "ES256", start, make); !errors.Is(err, ErrScheduled) {
		t.Errorf("error %v, wanted ErrScheduled", err)
	}
	if _, err := Tokens.rotate(nil, "ES256", start, make); err == nil {
		t.Error("a rotation without a standby key began")
	}
}

func TestRetireTakesAKeyOutAtOnce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		rotated bool // a rotation was scheduled before
		kid     string
		want    map[string]State
		later   map[string]State // after the day on which the rotation was to take place
	}{
		{"the one that signs: the standby takes over", false, "k1", map[string]State{"k2": Active, "k3": Standby}, map[string]State{"k2": Active, "k3": Standby}},
		{"the standby: another is made", false, "k2", map[string]State{"k1": Active, "k3": Standby}, map[string]State{"k1": Active, "k3": Standby}},
		{"the one that signs, with the next scheduled: it signs now", true, "k1", map[string]State{"k2": Active, "k3": Standby}, map[string]State{"k2": Active, "k3": Standby}},
		{"the scheduled one: what signs goes on, and does not stop for it", true, "k2", map[string]State{"k1": Active, "k3": Standby}, map[string]State{"k1": Active, "k3": Standby}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			make := counting()
			keys := must(t)(Tokens.ensure(nil, []string{"ES256"}, start, make))
			if c.rotated {
				keys = must(t)(Tokens.rotate(keys, "ES256", start, make))
			}
			keys = must(t)(Tokens.retire(keys, c.kid, start.Add(time.Hour), make))
			expect(t, keys, start.Add(time.Hour), c.want)
			expect(t, keys, start.Add(Tokens.PublishBefore+time.Hour), c.later)
		})
	}
	if _, err := Tokens.retire(nil, "nobody", start, counting()); !errors.Is(err, ErrNoKey) {
		t.Errorf("an unknown key: %v", err)
	}
}

func TestOverdueNamesAlgorithmsWhoseKeySignedLongEnough(t *testing.T) {
	t.Parallel()
	make := counting()
	keys := must(t)(Tokens.ensure(nil, []string{"ES256", "RS256"}, start, make))
	if got := Tokens.overdue(keys, start.Add(Tokens.RotateAfter-time.Second)); len(got) != 0 {
		t.Errorf("too early: %v", got)
	}
	due := start.Add(Tokens.RotateAfter)
	if got := Tokens.overdue(keys, due); len(got) != 2 {
		t.Errorf("on the day: %v", got)
	}
	keys = must(t)(Tokens.rotateAll(keys, []string{"ES256"}, due, make))
	if got := Tokens.overdue(keys, due); len(got) != 1 || got[0] != "RS256" {
		t.Errorf("after one rotation: %v", got)
	}
}

func TestRotateAllRotatesAllOrNone(t *testing.T) {
	t.Parallel()
	keys := must(t)(Tokens.ensure(nil, []string{"ES256"}, start, counting()))
	if after, err := Tokens.rotateAll(keys, []string{"ES256", "RS256"}, start, counting()); err == nil || after != nil {
		t.Errorf("%v, error %v", after, err)
	}
	if _, err := Tokens.ensure(nil, []string{"ES256"}, start, func(string, time.Time) (store.Key, error) { return store.Key{}, errors.New("no entropy") }); err == nil {
		t.Error("a maker's failure was passed over")
	}
}
