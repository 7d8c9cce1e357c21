package sqlite

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"apostille/broker/store"
)

// BenchmarkClaim: 32 callers, one claim in twenty a duplicate of a recent one.
func BenchmarkClaim(b *testing.B) {
	s := openTest(b, filepath.Join(b.TempDir(), "x.db"), nil)
	until := time.Now().Add(time.Hour)
	var next, firsts atomic.Int64
	var wg sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for range 32 {
		wg.Go(func() {
			for {
				n := next.Add(1)
				if n > int64(b.N) {
					return
				}
				id := n
				if n%20 == 0 {
					id-- // its twin is most likely in the same batch
				}
				first, err := s.Claim(b.Context(), "jti", "https://idp.hq.hmart.example", fmt.Sprint(id), until)
				if err != nil {
					b.Error(err)
					return
				}
				if first {
					firsts.Add(1)
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	if want := int64(b.N - b.N/20); firsts.Load() != want {
		b.Errorf("%d claims were first, want %d", firsts.Load(), want)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "claims/s")
}

// parallel runs f(1) … f(b.N) from 32 callers and reports the rate.
func parallel(b *testing.B, unit string, f func(n int64) error) {
	b.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for range 32 {
		wg.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				if err := f(n); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), unit)
}

// BenchmarkRotate: 32 callers, each with a family of its own, whose refresh token they rotate again and again. Durable.
func BenchmarkRotate(b *testing.B) {
	s := openTest(b, filepath.Join(b.TempDir(), "x.db"), nil)
	const families = 32
	type holder struct {
		id         string
		generation int
	}
	free := make(chan *holder, families)
	for i := range families {
		h := &holder{id: fmt.Sprint("f", i)}
		if err := beginFamily(s, h.id); err != nil {
			b.Fatal(err)
		}
		free <- h
	}
	answer := make([]byte, 2000)
	parallel(b, "rotations/s", func(int64) error {
		h := <-free
		defer func() { free <- h }()
		out, _, err := s.Rotate(b.Context(), store.Rotation{
			Old: sum(generation(h.id, h.generation)), Client: "portal",
			Next: store.Refresh{Hash: sum(generation(h.id, h.generation+1)), Until: far()}, Answer: answer, Grace: 10 * time.Second,
		})
		if err == nil && out != store.RotationDone {
			err = fmt.Errorf("outcome %d", out)
		}
		h.generation++
		return err
	})
}

// BenchmarkPending: 32 callers put a thing of 600 bytes and take it. Durable, both.
func BenchmarkPending(b *testing.B) {
	s := openTest(b, filepath.Join(b.TempDir(), "x.db"), nil)
	p := store.Pending{Value: make([]byte, 600), Until: time.Now().Add(time.Hour)}
	parallel(b, "logins/s", func(n int64) error {
		if err := s.PutPending(b.Context(), "login", fmt.Sprint(n), p); err != nil {
			return err
		}
		_, ok, err := s.TakePending(b.Context(), "login", fmt.Sprint(n))
		if err == nil && !ok {
			err = fmt.Errorf("login %d is gone", n)
		}
		return err
	})
}

// BenchmarkSignIn: 32 callers redeem a code for a family with a refresh token. Durable.
func BenchmarkSignIn(b *testing.B) {
	s := openTest(b, filepath.Join(b.TempDir(), "x.db"), nil)
	parallel(b, "codes/s", func(n int64) error { return beginFamily(s, fmt.Sprint("f", n)) })
}

// BenchmarkTokenRevoked is what an introspection reads.
func BenchmarkTokenRevoked(b *testing.B) {
	s := openTest(b, filepath.Join(b.TempDir(), "x.db"), nil)
	if err := beginFamily(s, "f"); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if revoked, err := s.TokenRevoked(b.Context(), "jti", "f"); revoked || err != nil {
			b.Fatal(revoked, err)
		}
	}
}

// BenchmarkOpen opens and closes a store that is already there.
func BenchmarkOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), "x.db")
	if err := openTest(b, path, nil).Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s, err := open(b.Context(), path, Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
