package keyring

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"apostille/broker/store"
	"apostille/broker/store/memory"
	"apostille/broker/store/sqlite"
	"apostille/trust/jose"
)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: start} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func open(t *testing.T, s store.Keys, kek *KEK, c *clock) *Ring {
	t.Helper()
	r, err := Open(t.Context(), Config{Store: s, KEK: kek, Now: c.now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func memoryStore(c *clock) *memory.Store { return memory.New(memory.Options{Now: c.now}) }

func TestTheFirstStartCanSignWithEveryAlgorithm(t *testing.T) {
	t.Parallel()
	c := newClock()
	r := open(t, memoryStore(c), newKEK(t, 1), c)
	for _, alg := range Tokens.Algs {
		k, err := r.Signer(jose.Alg(alg))
		if err != nil {
			t.Fatal(err)
		}
		token, err := jose.Sign(k.Alg, k.Kid, "at+jwt", []byte(`{"sub":"x"}`), k.Key)
		if err != nil {
			t.Fatal(err)
		}
		verified(t, r, token)
	}
	if k, err := r.Signer("HS256"); err == nil {
		t.Errorf("there is a key for HS256: %+v", k)
	}
}

// verified expects that a verifier with the published key set accepts the token.
func verified(t *testing.T, r *Ring, raw string) {
	t.Helper()
	body, _ := r.JWKS()
	set, refused, err := jose.ParseJWKS(body, nil)
	if err != nil || len(refused) > 0 {
		t.Fatalf("the published set: %v, refused %v", err, refused)
	}
	token, err := jose.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	found := set.Lookup(token.Header.Kid, token.Header.Alg)
	if len(found) != 1 {
		t.Fatalf("%d published keys for %s", len(found), token.Header.Kid)
	}
	if err := token.Verify(found[0]); err != nil {
		t.Fatal(err)
	}
}

func TestThePublishedSetIsAsVerifiersNeedIt(t *testing.T) {
	t.Parallel()
	c := newClock()
	r := open(t, memoryStore(c), newKEK(t, 1), c)
	body, etag := r.JWKS()
	var doc struct{ Keys []map[string]any }
	if err := json.Unmarshal(body, &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Keys) != 2*len(Tokens.Algs) || len(doc.Keys) > 8 {
		t.Errorf("%d keys are published", len(doc.Keys))
	}
	for _, k := range doc.Keys {
		if k["kid"] == "" || k["use"] != "sig" || k["alg"] == nil {
			t.Errorf("key %v", k)
		}
		for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "k"} {
			if k[private] != nil {
				t.Errorf("key %v is published with its private part %s", k["kid"], private)
			}
		}
	}
	if again, same := r.JWKS(); string(again) != string(body) || same != etag || !strings.HasPrefix(etag, `"`) {
		t.Errorf("the set changes by itself: %s, %s", etag, same)
	}
}

// Whenever a token was issued, the set published at any later moment of its life verifies it, and a verifier that keeps a
// set for a day knows the key of every token it meets.
func TestR06_EveryUnexpiredTokenVerifiesAcrossRotations(t *testing.T) {
	t.Parallel()
	c := newClock()
	r := open(t, memoryStore(c), newKEK(t, 1), c)
	type issued struct {
		raw     string
		expires time.Time
	}
	var live []issued
	cached, cachedAt := r.keySet(t), c.now()
	kids := map[string]bool{}
	const step, lifetime = 6 * time.Hour, 24 * time.Hour
	for range int(2*Tokens.RotateAfter/step) + 40 {
		if err := r.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		k, err := r.Signer("EdDSA")
		if err != nil {
			t.Fatal(err)
		}
		kids[k.Kid] = true
		if c.now().Sub(cachedAt) >= 24*time.Hour-step {
			cached, cachedAt = r.keySet(t), c.now()
		}
		if len(cached.Lookup(k.Kid, k.Alg)) == 0 {
			t.Fatalf("at %s: a verifier that asked %s ago does not know the key that signs", c.now(), c.now().Sub(cachedAt))
		}
		raw, err := jose.Sign(k.Alg, k.Kid, "JWT", []byte(`{"sub":"x"}`), k.Key)
		if err != nil {
			t.Fatal(err)
		}
		live = append(live, issued{raw, c.now().Add(lifetime)})
		for len(live) > 0 && !c.now().Before(live[0].expires) {
			live = live[1:]
		}
		for _, token := range live {
			verified(t, r, token.raw)
		}
		c.advance(step)
	}
	if len(kids) != 3 {
		t.Errorf("%d keys signed in two terms, wanted 3: the server rotates by itself", len(kids))
	}
}

func (r *Ring) keySet(t *testing.T) *jose.Set {
	t.Helper()
	body, _ := r.JWKS()
	set, _, err := jose.ParseJWKS(body, nil)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// A first start with a clock ahead (or beside another server with one) dated the first key in the future: once the clock was set
// right nothing could be issued until it came round to that time again.
func TestR12_AClockThatIsSetBackAfterTheFirstStartStopsNobody(t *testing.T) {
	t.Parallel()
	c := newClock()
	s, kek := memoryStore(c), newKEK(t, 1)
	first := open(t, s, kek, c)
	before, err := first.Signer("ES256")
	if err != nil {
		t.Fatal(err)
	}
	c.advance(-5 * time.Minute)
	for name, r := range map[string]*Ring{"running": first, "started again": open(t, s, kek, c)} {
		k, err := r.Signer("ES256")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if k.Kid != before.Kid {
			t.Errorf("%s: another key signs: %s, want %s", name, k.Kid, before.Kid)
		}
		if keys, _, _ := r.Lookup(t.Context(), "", k.Kid, "ES256"); len(keys) != 1 {
			t.Errorf("%s: the key that signs is not published", name)
		}
	}
}

func TestTimeAloneChangesWhatIsServed(t *testing.T) {
	t.Parallel()
	c := newClock()
	r := open(t, memoryStore(c), newKEK(t, 1), c)
	before, err := r.Signer("ES256")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Rotate(t.Context(), "ES256"); err != nil {
		t.Fatal(err)
	}
	version := r.Version("")
	c.advance(Tokens.PublishBefore)
	after, err := r.Signer("ES256")
	if err != nil || after.Kid == before.Kid {
		t.Fatalf("still %s signs, error %v", before.Kid, err)
	}
	if keys, _, _ := r.Lookup(t.Context(), "", before.Kid, "ES256"); len(keys) != 1 {
		t.Error("the key that signed until now is not published")
	}
	if r.Version("") != version {
		t.Error("the version changed though the same keys are published")
	}
	c.advance(Tokens.Linger)
	if keys, _, _ := r.Lookup(t.Context(), "", before.Kid, "ES256"); len(keys) != 0 {
		t.Error("a key that is gone is still published")
	}
	if r.Version("") == version {
		t.Error("a key left and the version stays: remembered tokens would live on")
	}
}

func TestARetiredKeyIsNotPublishedAnyMore(t *testing.T) {
	t.Parallel()
	c := newClock()
	r := open(t, memoryStore(c), newKEK(t, 1), c)
	stolen, err := r.Signer("ES256")
	if err != nil {
		t.Fatal(err)
	}
	_, etag := r.JWKS()
	if _, err := r.Retire(t.Context(), stolen.Kid); err != nil {
		t.Fatal(err)
	}
	if keys, _, _ := r.Lookup(t.Context(), "", stolen.Kid, "ES256"); len(keys) != 0 {
		t.Error("it verifies on")
	}
	if next, err := r.Signer("ES256"); err != nil || next.Kid == stolen.Kid {
		t.Errorf("%s signs, error %v", next.Kid, err)
	}
	if _, now := r.JWKS(); now == etag {
		t.Error("the set keeps its ETag: caches would keep the key")
	}
	if _, err := r.Retire(t.Context(), "nobody"); !errors.Is(err, ErrNoKey) {
		t.Errorf("an unknown key: %v", err)
	}
}

// A request that crossed a change of state used to publish the keys it had seen, those that a refresh had just taken out too.
func TestARequestDoesNotPutBackWhatARefreshTookOut(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := memoryStore(c)
	r, beside := open(t, s, newKEK(t, 1), c), open(t, s, newKEK(t, 1), c)
	if _, err := r.Rotate(t.Context(), "ES256"); err != nil {
		t.Fatal(err)
	}
	stolen, err := r.Signer("ES256")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := beside.Retire(t.Context(), stolen.Kid); err != nil {
		t.Fatal(err)
	}
	c.advance(Tokens.PublishBefore)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { r.JWKS() })
	}
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	if keys, _, _ := r.Lookup(t.Context(), "", stolen.Kid, "ES256"); len(keys) != 0 {
		t.Error("the stolen key is back")
	}
}

func TestTwoProcessesShareOneSchedule(t *testing.T) {
	t.Parallel()
	c := newClock()
	path := filepath.Join(t.TempDir(), "apostille.db")
	handle := func() store.Store {
		s, err := sqlite.Open(t.Context(), path, sqlite.Options{Now: c.now, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	kek := newKEK(t, 1)
	stores := []store.Store{handle(), handle()}
	rings := make([]*Ring, 2)
	var all sync.WaitGroup
	for i := range rings {
		all.Go(func() {
			rings[i], _ = Open(context.WithoutCancel(t.Context()), Config{Store: stores[i], KEK: kek, Now: c.now, Log: slog.New(slog.DiscardHandler)})
		})
	}
	all.Wait()
	for i, r := range rings {
		if r == nil {
			t.Fatal("a process did not start")
		}
		if err := r.Refresh(t.Context()); err != nil {
			t.Fatalf("process %d: %v", i, err)
		}
	}
	same(t, rings)
	if _, err := rings[0].Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := rings[1].Rotate(t.Context()); !errors.Is(err, ErrScheduled) {
		t.Errorf("the second process started the rotation again: %v", err)
	}
	if err := rings[1].Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	same(t, rings)
	c.advance(Tokens.PublishBefore)
	same(t, rings)
}

// same expects that two rings publish the same keys and sign with the same.
func same(t *testing.T, rings []*Ring) {
	t.Helper()
	a, _ := rings[0].JWKS()
	b, _ := rings[1].JWKS()
	if string(a) != string(b) {
		t.Error("they publish different sets")
	}
	for _, alg := range Tokens.Algs {
		first, err1 := rings[0].Signer(jose.Alg(alg))
		second, err2 := rings[1].Signer(jose.Alg(alg))
		if err1 != nil || err2 != nil || first.Kid != second.Kid {
			t.Errorf("%s: %s and %s, errors %v and %v", alg, first.Kid, second.Kid, err1, err2)
		}
	}
}

func TestAKeyThatCannotBeOpenedStopsTheStart(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(keys []store.Key){
		"a flipped bit":            func(keys []store.Key) { keys[0].Wrapped[5] ^= 1 },
		"nothing":                  func(keys []store.Key) { keys[0].Wrapped = nil },
		"the wrapped key of a row": func(keys []store.Key) { keys[0].Wrapped = keys[1].Wrapped },
		"another ID":               func(keys []store.Key) { keys[0].ID = "other" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			s := memoryStore(c)
			open(t, s, newKEK(t, 1), c)
			if err := s.ChangeKeys(t.Context(), func(keys []store.Key) ([]store.Key, error) {
				spoil(keys)
				return keys, nil
			}); err != nil {
				t.Fatal(err)
			}
			_, err := Open(t.Context(), Config{Store: s, KEK: newKEK(t, 1), Now: c.now, Log: slog.New(slog.DiscardHandler)})
			if err == nil || !strings.Contains(err.Error(), "signing key") {
				t.Errorf("it started: %v", err)
			}
		})
	}
	t.Run("another key file", func(t *testing.T) {
		t.Parallel()
		c := newClock()
		s := memoryStore(c)
		open(t, s, newKEK(t, 1), c)
		if _, err := Open(t.Context(), Config{Store: s, KEK: newKEK(t, 2), Now: c.now, Log: slog.New(slog.DiscardHandler)}); err == nil {
			t.Error("it started")
		}
		open(t, s, newKEK(t, 1), c) // the twin
	})
}

func TestARefreshThatFailsLeavesTheKeysServing(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := memoryStore(c)
	r := open(t, s, newKEK(t, 1), c)
	_, etag := r.JWKS()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.Refresh(t.Context()); !errors.Is(err, store.ErrClosed) {
		t.Errorf("error %v", err)
	}
	if _, now := r.JWKS(); now != etag {
		t.Error("the set changed")
	}
	if _, err := r.Signer("ES256"); err != nil {
		t.Error(err)
	}
}
