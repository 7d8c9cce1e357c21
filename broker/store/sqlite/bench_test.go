package sqlite

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
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
