package keyring

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"apostille/broker/store"
)

// Config of a Ring. Every field is required unless its comment says otherwise.
type Config struct {
	Purpose Purpose // the zero value is Tokens
	Name    string  // of the subject of certificates; only with a purpose that has them
	Store   store.Keys
	KEK     *KEK
	Now     func() time.Time
	Log     *slog.Logger
}

// Ring is the set of keys of one purpose. Safe for concurrent use.
type Ring struct {
	c    Config
	view atomic.Pointer[view]
	// publishing orders the writers of view: a request that crosses a change of state must not put keys back that a
	// refresh beside it has just taken out.
	publishing sync.Mutex
}

// Open reads the keys, makes what is missing and fails on a key that cannot be opened: a corrupt key stops the start.
func Open(ctx context.Context, c Config) (*Ring, error) {
	if c.Purpose.Name == "" {
		c.Purpose = Tokens
	}
	r := &Ring{c: c}
	return r, r.Refresh(ctx)
}

// Refresh reads the store again, makes what is missing and rotates what is overdue. On an error the keys served stay.
func (r *Ring) Refresh(ctx context.Context) error {
	now := r.c.Now()
	p := r.c.Purpose
	all, err := r.c.Store.ListKeys(ctx)
	if err != nil {
		return fmt.Errorf("%s keys: %w", p.Name, err)
	}
	keys, _ := p.split(all)
	if p.wanting(keys, now) {
		keys, err = r.change(ctx, func(keys []store.Key, now time.Time, make maker) ([]store.Key, error) {
			keys, err := p.rotateAll(keys, p.overdue(keys, now), now, make)
			if err != nil {
				return nil, err
			}
			return p.ensure(keys, p.Algs, now, make)
		})
		if err != nil {
			return fmt.Errorf("%s keys: %w", p.Name, err)
		}
	}
	return r.serve(keys)
}

// wanting says whether Refresh has something to write.
func (p Purpose) wanting(keys []store.Key, now time.Time) bool {
	if len(p.overdue(keys, now)) > 0 {
		return true
	}
	after, err := p.ensure(keys, p.Algs, now, func(alg string, _ time.Time) (store.Key, error) {
		return store.Key{Alg: alg}, nil
	})
	return err != nil || len(after) != len(keys)
}

// Rotate schedules the next key of each algorithm ("" list = all). The keys afterwards are returned.
func (r *Ring) Rotate(ctx context.Context, algs ...string) ([]store.Key, error) {
	if len(algs) == 0 {
		algs = r.c.Purpose.Algs
	}
	return r.changeAndServe(ctx, func(keys []store.Key, now time.Time, make maker) ([]store.Key, error) {
		return r.c.Purpose.rotateAll(keys, algs, now, make)
	})
}

// Retire takes a key out at once. Tokens it signed no longer verify.
func (r *Ring) Retire(ctx context.Context, kid string) ([]store.Key, error) {
	return r.changeAndServe(ctx, func(keys []store.Key, now time.Time, make maker) ([]store.Key, error) {
		return r.c.Purpose.retire(keys, kid, now, make)
	})
}

// plan computes the keys that are to be from those that are.
type plan func(keys []store.Key, now time.Time, make maker) ([]store.Key, error)

func (r *Ring) changeAndServe(ctx context.Context, f plan) ([]store.Key, error) {
	keys, err := r.change(ctx, f)
	if err != nil {
		return nil, err
	}
	return keys, r.serve(keys)
}

// change plans twice: first on what the store holds now, which makes the keys that are needed, and then for good with those
// keys, while the store keeps every other writer waiting. An RSA key takes a good part of a second to make.
func (r *Ring) change(ctx context.Context, f plan) (after []store.Key, err error) {
	all, err := r.c.Store.ListKeys(ctx)
	if err != nil {
		return nil, err
	}
	keys, _ := r.c.Purpose.split(all)
	made := map[string][]store.Key{}
	if _, err := f(keys, r.c.Now(), func(alg string, now time.Time) (store.Key, error) {
		k, err := r.make(alg, now)
		made[alg] = append(made[alg], k)
		return k, err
	}); err != nil {
		return nil, err
	}
	ready := func(alg string, now time.Time) (store.Key, error) {
		if len(made[alg]) == 0 {
			return r.make(alg, now)
		}
		k := made[alg][0]
		made[alg] = made[alg][1:]
		return k, nil
	}
	err = r.c.Store.ChangeKeys(ctx, func(all []store.Key) ([]store.Key, error) {
		keys, others := r.c.Purpose.split(all)
		after, err = f(keys, r.c.Now(), ready)
		return append(others, after...), err
	})
	return after, err
}

// serve opens the keys and publishes them.
func (r *Ring) serve(keys []store.Key) error {
	r.publishing.Lock()
	defer r.publishing.Unlock()
	opened, err := r.open(keys)
	if err != nil {
		return err
	}
	return r.publish(opened)
}

// open unwraps keys, reusing what is open already.
func (r *Ring) open(keys []store.Key) ([]opened, error) {
	var before []opened
	if v := r.view.Load(); v != nil {
		before = v.keys
	}
	out := make([]opened, 0, len(keys))
	for _, k := range keys {
		if i := slices.IndexFunc(before, func(o opened) bool { return o.ID == k.ID }); i >= 0 {
			out = append(out, opened{Key: k, private: before[i].private, certificate: before[i].certificate})
			continue
		}
		private, err := r.unwrap(k)
		if err != nil {
			return nil, fmt.Errorf("signing key %s for %s: %w", k.ID, k.Purpose, err)
		}
		o := opened{Key: k, private: private}
		if r.c.Purpose.Certified {
			if o.certificate, err = certificate(k, private, r.c.Name); err != nil {
				return nil, fmt.Errorf("certificate of key %s for %s: %w", k.ID, k.Purpose, err)
			}
		}
		out = append(out, o)
	}
	return out, nil
}
