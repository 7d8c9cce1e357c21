package keyring

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"apostille/broker/store"
	"apostille/trust/jose"
)

// Algs are the algorithms the broker signs with. All are ready from the first start, so that switching an API's algorithm
// needs no wait.
var Algs = []string{"ES256", "RS256", "EdDSA"}

// purpose of the keys of this ring in the store.
const purpose = "token"

// rsaBits: 2048 is what every verifier takes; 3072 costs three times as much to sign with.
const rsaBits = 2048

// Config of a Ring. Every field is required.
type Config struct {
	Store store.Keys
	KEK   *KEK
	Now   func() time.Time
	Log   *slog.Logger
}

// Ring is the set of signing keys. Safe for concurrent use.
type Ring struct {
	c    Config
	view atomic.Pointer[view]
}

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
	private crypto.Signer
}

// Signer is a key that signs now.
type Signer struct {
	Kid string
	Alg jose.Alg
	Key crypto.Signer
}

// Open reads the keys, makes what is missing and fails on a key that cannot be opened: a corrupt key stops the start.
func Open(ctx context.Context, c Config) (*Ring, error) {
	r := &Ring{c: c}
	return r, r.Refresh(ctx)
}

// Refresh reads the store again, makes what is missing and rotates what is overdue. On an error the keys served stay.
func (r *Ring) Refresh(ctx context.Context) error {
	now := r.c.Now()
	keys, err := r.c.Store.ListKeys(ctx)
	if err != nil {
		return fmt.Errorf("signing keys: %w", err)
	}
	if wanting(keys, now) {
		keys, err = r.change(ctx, func(keys []store.Key, now time.Time) ([]store.Key, error) {
			for _, alg := range overdue(keys, now) {
				if keys, err = rotate(keys, alg, now, r.make); err != nil {
					return nil, err
				}
			}
			return ensure(keys, Algs, now, r.make)
		})
		if err != nil {
			return fmt.Errorf("signing keys: %w", err)
		}
	}
	return r.serve(keys)
}

// wanting says whether Refresh has something to write.
func wanting(keys []store.Key, now time.Time) bool {
	if len(overdue(keys, now)) > 0 {
		return true
	}
	after, err := ensure(keys, Algs, now, func(alg string, _ time.Time) (store.Key, error) {
		return store.Key{Alg: alg}, nil
	})
	return err != nil || len(after) != len(keys)
}

// Rotate schedules the next key of each algorithm ("" list = all). The keys afterwards are returned.
func (r *Ring) Rotate(ctx context.Context, algs ...string) ([]store.Key, error) {
	if len(algs) == 0 {
		algs = Algs
	}
	return r.changeAndServe(ctx, func(keys []store.Key, now time.Time) ([]store.Key, error) {
		var err error
		for _, alg := range algs {
			if keys, err = rotate(keys, alg, now, r.make); err != nil {
				return nil, err
			}
		}
		return keys, nil
	})
}

// Retire takes a key out at once. Tokens it signed no longer verify.
func (r *Ring) Retire(ctx context.Context, kid string) ([]store.Key, error) {
	return r.changeAndServe(ctx, func(keys []store.Key, now time.Time) ([]store.Key, error) {
		return retire(keys, kid, now, r.make)
	})
}

func (r *Ring) changeAndServe(ctx context.Context, f func([]store.Key, time.Time) ([]store.Key, error)) ([]store.Key, error) {
	keys, err := r.change(ctx, f)
	if err != nil {
		return nil, err
	}
	return keys, r.serve(keys)
}

func (r *Ring) change(ctx context.Context, f func([]store.Key, time.Time) ([]store.Key, error)) ([]store.Key, error) {
	var after []store.Key
	err := r.c.Store.ChangeKeys(ctx, func(keys []store.Key) (_ []store.Key, err error) {
		after, err = f(keys, r.c.Now())
		return after, err
	})
	return after, err
}

// serve opens the keys and publishes them.
func (r *Ring) serve(keys []store.Key) error {
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
			out = append(out, opened{Key: k, private: before[i].private})
			continue
		}
		private, err := r.unwrap(k)
		if err != nil {
			return nil, fmt.Errorf("signing key %s: %w", k.ID, err)
		}
		out = append(out, opened{Key: k, private: private})
	}
	return out, nil
}

// publish computes what is served from now until a key changes state.
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
		if StateOf(k.Key, now) != Gone {
			public = append(public, jose.Key{ID: k.ID, Algs: []jose.Alg{jose.Alg(k.Alg)}, Public: k.private.Public()})
		}
	}
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
	if v.until.IsZero() || r.c.Now().Before(v.until) {
		return v
	}
	if err := r.publish(v.keys); err != nil {
		r.c.Log.Error("publishing signing keys", "error", err)
	}
	return r.view.Load()
}

// Signer returns the key that signs with alg now: the one most lately activated.
func (r *Ring) Signer(alg jose.Alg) (Signer, error) {
	now := r.c.Now()
	var best *opened
	v := r.current()
	for i := range v.keys {
		k := &v.keys[i]
		if k.Alg == string(alg) && StateOf(k.Key, now) == Active && (best == nil || k.ActiveAt.After(best.ActiveAt)) {
			best = k
		}
	}
	if best == nil {
		return Signer{}, fmt.Errorf("no active signing key for %s", alg)
	}
	return Signer{Kid: best.ID, Alg: alg, Key: best.private}, nil
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

// make is the maker of real keys.
func (r *Ring) make(alg string, now time.Time) (store.Key, error) {
	private, err := generate(alg)
	if err != nil {
		return store.Key{}, err
	}
	kid, err := jose.Thumbprint(private.Public())
	if err != nil {
		return store.Key{}, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return store.Key{}, err
	}
	public, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		return store.Key{}, err
	}
	k := store.Key{ID: kid, Purpose: purpose, Alg: alg, Public: public, Created: now}
	k.Wrapped = r.c.KEK.wrap(der, label(k))
	return k, nil
}

func generate(alg string) (crypto.Signer, error) {
	switch alg {
	case "ES256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "RS256":
		return rsa.GenerateKey(rand.Reader, rsaBits)
	case "EdDSA":
		_, k, err := ed25519.GenerateKey(rand.Reader)
		return k, err
	}
	return nil, fmt.Errorf("no key can be made for algorithm %q", alg)
}

func (r *Ring) unwrap(k store.Key) (crypto.Signer, error) {
	der, err := r.c.KEK.unwrap(k.Wrapped, label(k))
	if err != nil {
		return nil, err
	}
	private, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	signer, ok := private.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("is a %T, not a signing key", private)
	}
	if kid, err := jose.Thumbprint(signer.Public()); err != nil || kid != k.ID {
		return nil, fmt.Errorf("is another key than its ID says")
	}
	return signer, nil
}

func label(k store.Key) string { return k.Purpose + "\x00" + k.Alg + "\x00" + k.ID }
