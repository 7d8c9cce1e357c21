package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"apostille/broker/oauth"
)

// serving is `apostille serve` as main runs it, on ports of its own, among the parties of an arena.
type serving struct {
	*arena
	main, side string // base URLs
	stop       context.CancelFunc
	done       chan int // exit code
	client     *http.Client
}

// serve starts it and waits until it listens.
func serve(t *testing.T, change ...string) *serving {
	t.Helper()
	a := newParties(t, "ES256")
	install(t, a.dir)
	a.configure(t, append([]string{"dev = true\n", "dev = true\n\n[listener]\naddress = \"127.0.0.1:0\"\n\n[metrics]\naddress = \"127.0.0.1:0\"\n"}, change...)...)
	ctx, stop := context.WithCancel(t.Context())
	s := &serving{arena: a, stop: stop, done: make(chan int, 1), client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 32}}}
	go func() {
		s.done <- run(ctx, []string{"serve", "--config", a.path()}, strings.NewReader(""), a.trail, a.log)
	}()
	t.Cleanup(func() {
		s.client.CloseIdleConnections()
		s.end(t)
	})
	eventually(t, "the server listens", func() bool {
		for line := range strings.Lines(a.log.String()) {
			var entry struct{ Msg, Listener, Addr string }
			if json.Unmarshal([]byte(line), &entry) != nil || entry.Msg != "listening" {
				continue
			}
			switch entry.Listener {
			case "main":
				s.main = "http://" + entry.Addr
			case "metrics":
				s.side = "http://" + entry.Addr
			}
		}
		return s.main != "" && s.side != ""
	})
	return s
}

// end stops the server, if it runs, and returns its exit code.
func (s *serving) end(t *testing.T) int {
	t.Helper()
	s.stop()
	select {
	case code := <-s.done:
		s.done <- code
		return code
	case <-time.After(20 * time.Second):
		t.Error("the server does not end")
		return -1
	}
}

// eventually waits for what another goroutine does.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 15 seconds", what)
		}
	}
}

// post asks for a token; an error of the connection is status 0.
func (s *serving) post(form url.Values) (status int, token oauth.TokenResponse) {
	r, err := http.NewRequest(http.MethodPost, s.main+"/oauth2/token", strings.NewReader(form.Encode()))
	if err != nil {
		return 0, token
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("portal", clientSecret)
	resp, err := s.client.Do(r)
	if err != nil {
		return 0, token
	}
	defer func() { _ = resp.Body.Close() }()
	_ = json.NewDecoder(resp.Body).Decode(&token)
	return resp.StatusCode, token
}

// ready asks /readyz.
func (s *serving) ready() (status int, state readiness) {
	resp, err := s.client.Get(s.side + "/readyz")
	if err != nil {
		return 0, state
	}
	defer func() { _ = resp.Body.Close() }()
	body, _ := io.ReadAll(resp.Body)
	_ = json.Unmarshal(body, &state)
	return resp.StatusCode, state
}

// load asks for tokens all the time, until the returned function is called: it says how many requests were made and how many failed.
func (s *serving) load(workers int) (finish func() (all, failed int64)) {
	var all, failed atomic.Int64
	stop, ended := make(chan struct{}), make(chan struct{}, workers)
	for range workers {
		go func() {
			defer func() { ended <- struct{}{} }()
			for {
				select {
				case <-stop:
					return
				default:
				}
				all.Add(1)
				if status, _ := s.post(ownForm()); status != http.StatusOK {
					failed.Add(1)
				}
			}
		}()
	}
	return func() (int64, int64) {
		close(stop)
		for range workers {
			<-ended
		}
		return all.Load(), failed.Load()
	}
}
