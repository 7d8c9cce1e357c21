package keyring

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"apostille/broker/store"
)

// State is where a key is in its life. It follows from the key's times alone.
type State string

// States, in the order of a key's life.
const (
	Standby   State = "standby"   // published, no date to sign from
	Scheduled State = "scheduled" // published, signs from ActiveAt
	Active    State = "active"    // signs
	Retiring  State = "retiring"  // published only
	Gone      State = "gone"
)

// StateOf says where a key is.
func StateOf(k store.Key, now time.Time) State {
	switch {
	case !k.GoneAt.IsZero() && !now.Before(k.GoneAt):
		return Gone
	case !k.RetireAt.IsZero() && !now.Before(k.RetireAt):
		return Retiring
	case k.ActiveAt.IsZero():
		return Standby
	case now.Before(k.ActiveAt):
		return Scheduled
	}
	return Active
}

// maker makes a fresh key of an algorithm.
type maker func(alg string, now time.Time) (store.Key, error)

// ensure gives every algorithm an active key and, where the purpose has spares, a standby, and drops keys that are gone. First start:
// the active key is used at once, since nobody has cached a set without it.
func (p Purpose) ensure(keys []store.Key, algs []string, now time.Time, make maker) ([]store.Key, error) {
	keys = slices.DeleteFunc(slices.Clone(keys), func(k store.Key) bool { return StateOf(k, now) == Gone })
	for _, alg := range algs {
		if !has(keys, alg, now, Active) && !has(keys, alg, now, Scheduled) {
			k, err := make(alg, now)
			if err != nil {
				return nil, err
			}
			if i := find(keys, alg, now, Standby); i >= 0 {
				keys[i].ActiveAt = now // the published one signs; the new one takes its place
			} else {
				k.ActiveAt = now
			}
			keys = append(keys, k)
		}
		if p.spare() && !has(keys, alg, now, Standby) && !has(keys, alg, now, Scheduled) {
			k, err := make(alg, now)
			if err != nil {
				return nil, err
			}
			keys = append(keys, k)
		}
	}
	return keys, nil
}

// ErrScheduled says that a rotation is under way already.
var ErrScheduled = errors.New("a rotation of this algorithm is already scheduled")

// rotate schedules the next key of an algorithm to sign as soon as it has been published for PublishBefore, and the active key to
// stop then. The next key is the standby, and a new standby is made; without spares it is a fresh one.
func (p Purpose) rotate(keys []store.Key, alg string, now time.Time, make maker) ([]store.Key, error) {
	keys = slices.Clone(keys)
	if has(keys, alg, now, Scheduled) {
		return nil, fmt.Errorf("%s: %w", alg, ErrScheduled)
	}
	made, err := make(alg, now)
	if err != nil {
		return nil, err
	}
	keys = append(keys, made)
	next := len(keys) - 1
	if p.spare() {
		if next = find(keys[:next], alg, now, Standby); next < 0 {
			return nil, fmt.Errorf("%s: there is no standby key to rotate to", alg)
		}
	}
	from := keys[next].Created.Add(p.PublishBefore)
	if from.Before(now) {
		from = now
	}
	for i := range keys {
		if keys[i].Alg == alg && StateOf(keys[i], now) == Active && keys[i].RetireAt.IsZero() {
			keys[i].RetireAt, keys[i].GoneAt = from, from.Add(p.Linger)
		}
	}
	keys[next].ActiveAt = from
	return keys, nil
}

// rotateAll rotates several algorithms, or none of them.
func (p Purpose) rotateAll(keys []store.Key, algs []string, now time.Time, make maker) ([]store.Key, error) {
	var err error
	for _, alg := range algs {
		if keys, err = p.rotate(keys, alg, now, make); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// ErrNoKey says that no key has this ID.
var ErrNoKey = errors.New("no key has this ID")

// retire takes a key out at once, for a key that may be in other hands: its tokens no longer verify, and if it was active, the
// standby signs from now on.
func (p Purpose) retire(keys []store.Key, kid string, now time.Time, make maker) ([]store.Key, error) {
	keys = slices.Clone(keys)
	i := slices.IndexFunc(keys, func(k store.Key) bool { return k.ID == kid })
	if i < 0 {
		return nil, fmt.Errorf("%w: %s", ErrNoKey, kid)
	}
	alg, was := keys[i].Alg, StateOf(keys[i], now)
	keys = slices.Delete(keys, i, i+1)
	switch {
	case was == Scheduled: // the rotation to it is off: what signs now was to stop for its sake
		for j := range keys {
			if keys[j].Alg == alg && StateOf(keys[j], now) == Active {
				keys[j].RetireAt, keys[j].GoneAt = time.Time{}, time.Time{}
			}
		}
	case !has(keys, alg, now, Active):
		if j := find(keys, alg, now, Scheduled); j >= 0 {
			keys[j].ActiveAt = now
		}
	}
	return p.ensure(keys, []string{alg}, now, make)
}

// overdue lists the algorithms whose active key has signed for RotateAfter and has no successor scheduled.
func (p Purpose) overdue(keys []store.Key, now time.Time) []string {
	var algs []string
	if p.RotateAfter == 0 {
		return nil
	}
	for _, k := range keys {
		if StateOf(k, now) == Active && k.RetireAt.IsZero() && now.Sub(k.ActiveAt) >= p.RotateAfter &&
			!has(keys, k.Alg, now, Scheduled) && !slices.Contains(algs, k.Alg) {
			algs = append(algs, k.Alg)
		}
	}
	return algs
}

func has(keys []store.Key, alg string, now time.Time, s State) bool {
	return find(keys, alg, now, s) >= 0
}

func find(keys []store.Key, alg string, now time.Time, s State) int {
	return slices.IndexFunc(keys, func(k store.Key) bool { return k.Alg == alg && StateOf(k, now) == s })
}
