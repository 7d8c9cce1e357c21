package audit

import (
	"encoding/json"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

// BenchmarkRecord: 32 callers, to a file.
func BenchmarkRecord(b *testing.B) {
	w, err := OpenFile(filepath.Join(b.TempDir(), "audit.log"), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for range 32 {
		wg.Go(func() {
			e := full()
			for next.Add(1) <= int64(b.N) {
				if err := w.Record(b.Context(), e); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkEncode(b *testing.B) {
	e := full()
	b.Run("by hand", func(b *testing.B) {
		b.ReportAllocs()
		var line []byte
		for b.Loop() {
			line = appendEvent(line[:0], e, noon)
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := json.Marshal(e); err != nil {
				b.Fatal(err)
			}
		}
	})
}
