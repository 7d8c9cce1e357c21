package main

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// beginLogin sends a browser that has been nowhere to the office, and returns the login's state.
func (a *arena) beginLogin(t testing.TB) string {
	random := func() string {
		var bits [32]byte
		_, _ = rand.Read(bits[:]) // it never fails
		return base64.RawURLEncoding.EncodeToString(bits[:])
	}
	r := httptest.NewRequest(http.MethodGet, authorizeURL("state", random(), "nonce", random(), "code_challenge", random(),
		"scope", "openid profile email offline_access stock.read", "resource", warehouseAud), nil)
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, r)
	to, err := url.Parse(w.Header().Get("Location"))
	if err != nil || to.Query().Get("state") == "" || !strings.HasPrefix(to.String(), a.office.Issuer()) {
		t.Errorf("no login: %d to %q", w.Code, w.Header().Get("Location"))
		return ""
	}
	return to.Query().Get("state")
}

// `[login] unfinished` had no effect: the bound was 100,000 whatever it said.
func TestTheOldestUnfinishedLoginsMakeWay(t *testing.T) {
	t.Parallel()
	a := newArena(t, "dev = true", "dev = true\n\n[login]\nunfinished = 100")
	b := a.browser()
	page, err := b.Open(authorizeURL())
	if err != nil || !strings.HasPrefix(page.URL.String(), a.office.Issuer()) {
		t.Fatalf("at %v: %v", page.URL, err)
	}
	for range 99 {
		a.beginLogin(t)
	}
	other := a.browser()
	if code := a.signIn(t, other, "alice"); code == "" { // the 101st: the first had to go
		t.Error("a login among a hundred does not end")
	}
	if page, err = b.SignIn(page, "alice"); err != nil || page.Status != http.StatusBadRequest {
		t.Errorf("the first of 101 logins ended with %d, %v\n%s", page.Status, err, page.Text())
	}
}

// BenchmarkSignInUnfinished is what strangers leave behind who begin 100,000 logins and finish none: on the heap of a broker with its
// store in memory, on the heap and in the file of one with SQLite. docs/performance.md has the bar.
func BenchmarkSignInUnfinished(b *testing.B) {
	const logins = 100_000
	for name, store := range map[string]string{"memory": "\n[store]\npath = \"memory\"\n", "sqlite": ""} {
		b.Run(name, func(b *testing.B) {
			a := newArena(b, "dev = true", "dev = true\n"+store, "[audit]\nfile = \"-\"", "[audit]\nfile = \"audit.jsonl\"", "\"debug\"", "\"error\"")
			a.beginLogin(b) // what the first one makes is not counted
			file := filepath.Join(a.dir, "apostille.db")
			before, held, empty := heap(), resident(b), fileSize(file)
			var begun atomic.Int64
			var wg sync.WaitGroup
			for range 64 { // b.N is 1: this takes longer than any -benchtime
				wg.Go(func() {
					for begun.Add(1) <= logins && !b.Failed() {
						a.beginLogin(b)
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(heap()-before)/1e6, "heap-MB")
			b.ReportMetric(float64(resident(b)-held)/1e6, "process-MB") // SQLite has memory beside the heap
			a.close()
			a.close = func() {}
			if store == "" {
				b.ReportMetric(float64(fileSize(file)-empty)/1e6, "file-MB")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// heap is what lives on it, in bytes.
func heap() int64 {
	runtime.GC()
	debug.FreeOSMemory() // and once more: pools live for two rounds
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// resident is what the process has in RAM, in bytes; 0 = it cannot be told here.
func resident(t testing.TB) int64 {
	text, err := os.ReadFile("/proc/self/statm")
	var all, pages int64
	if _, scanErr := fmt.Sscan(string(text), &all, &pages); err != nil || scanErr != nil {
		t.Log("no figure of the process's memory:", err, scanErr)
	}
	return pages * int64(os.Getpagesize())
}

func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
