package keyring

import (
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"apostille/broker/store"
	"apostille/trust/jose"
)

// view is what is served: opened keys, and the published set for a span of time in which no key changes state.
type view struct {
	keys   []opened
	until  time.Time // a key changes state then; zero = never
	public *jose.Set
	jwks   []byte
	etag   string
	serial uint64
}

type opened struct {
	store.Key
	private     crypto.Signer
	certificate []byte // DER; nil where the purpose has none
}

// Signer is a key that signs now.
type Signer struct {
	Kid string
	Alg jose.Alg
	Key crypto.Signer

	Certificate []byte // DER; nil where the purpose has none
}

// publish computes what is served from now until a key changes state. The caller holds publishing.
func (r *Ring) publish(keys []opened) error {
	now := r.c.Now()
	next := &view{keys: keys}
	var public []jose.Key
	for _, k := range keys {
		for _, t := range []time.Time{k.ActiveAt, k.RetireAt, k.GoneAt} {
			if t.After(now) && (next.until.IsZero() || t.Before(next.until)) {
				next.until = t
			}
		}
		if StateOf(k.Key, now) != Gone && !r.c.Purpose.Certified { // those are published in other ways
			public = append(public, jose.Key{ID: k.ID, Algs: []jose.Alg{jose.Alg(k.Alg)}, Public: k.private.Public()})
		}
	}
	// By ID, so that every process publishes the same bytes under the same ETag, in whatever order it learnt of the keys.
	slices.SortFunc(public, func(a, b jose.Key) int { return strings.Compare(a.ID, b.ID) })
	next.public = jose.NewSet(public...)
	var err error
	if next.jwks, err = jose.MarshalJWKS(next.public); err != nil {
		return err
	}
	sum := sha256.Sum256(next.jwks)
	next.etag = `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	next.serial = 1
	if old := r.view.Load(); old != nil {
		next.serial = old.serial
		if old.etag != next.etag {
			next.serial++
		}
	}
	r.view.Store(next)
	return nil
}

// current returns the view for this moment.
func (r *Ring) current() *view {
	v := r.view.Load()
	if v.holds(r.c.Now()) {
		return v
	}
	r.publishing.Lock()
	defer r.publishing.Unlock()
	if v = r.view.Load(); v.holds(r.c.Now()) {
		return v
	}
	if err := r.publish(v.keys); err != nil {
		r.c.Log.Error("publishing keys", "error", err)
	}
	return r.view.Load()
}

// holds says that no key has changed state since the view was made.
func (v *view) holds(now time.Time) bool { return v.until.IsZero() || now.Before(v.until) }

// Signer returns the key that signs with alg now: the one most lately activated. If none is active yet, it is the one that will
// be first: a rotation leaves no gap, so that the clock stands before the first start, by which the first key was dated.
func (r *Ring) Signer(alg jose.Alg) (Signer, error) {
	now := r.c.Now()
	var best, next *opened
	v := r.current()
	for i := range v.keys {
		k := &v.keys[i]
		if k.Alg != string(alg) {
			continue
		}
		switch state := StateOf(k.Key, now); {
		case state == Active && (best == nil || k.ActiveAt.After(best.ActiveAt)):
			best = k
		case state == Scheduled && (next == nil || k.ActiveAt.Before(next.ActiveAt)):
			next = k
		}
	}
	if best == nil {
		best = next
	}
	if best == nil {
		return Signer{}, fmt.Errorf("no active key of %s for %s", r.c.Purpose.Name, alg)
	}
	return Signer{Kid: best.ID, Alg: alg, Key: best.private, Certificate: best.certificate}, nil
}

// JWKS returns the published key set and its ETag.
func (r *Ring) JWKS() (body []byte, etag string) {
	v := r.current()
	return v.jwks, v.etag
}

// Lookup finds published keys, for verifying our own tokens; the trust ID is ignored.
func (r *Ring) Lookup(_ context.Context, _, kid string, alg jose.Alg) ([]jose.Key, uint64, error) {
	v := r.current()
	return v.public.Lookup(kid, alg), v.serial, nil
}

// Version changes whenever the published set does; the trust ID is ignored.
func (r *Ring) Version(string) uint64 { return r.current().serial }
