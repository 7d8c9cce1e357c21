package session

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"apostille/broker/store"
	"apostille/broker/store/memory"
)

// tabs signs the same person in, in tabs of one browser that know of no session, and returns the sessions. The last cookie stays.
func (f *fixture) tabs(t *testing.T, b browser, n int, apart time.Duration) []*Session {
	t.Helper()
	requests, out := make([]*http.Request, n), make([]*Session, n)
	for i := range n {
		requests[i] = b.request()
	}
	for i, r := range requests {
		w := httptest.NewRecorder()
		s, err := f.SignIn(w, r, f.login("hq", "ada"))
		if err != nil {
			t.Fatal(err)
		}
		out[i] = s
		b.take(w)
		f.clock.add(apart)
	}
	return out
}

func (f *fixture) lives(t *testing.T, s *Session) bool {
	t.Helper()
	list, err := f.Store.ListSessions(t.Context(), store.SessionQuery{ID: s.ID}, 1)
	if err != nil {
		t.Fatal(err)
	}
	return len(list) == 1
}

func newSiblingFixture(t *testing.T) *fixture {
	t.Helper()
	f := newFixture(t, true)
	f.Pending = f.store.Sessions.(*memory.Store)
	return f
}

func (f *fixture) visited(b browser) browser {
	w := httptest.NewRecorder()
	f.Browser(w, b.request())
	b.take(w)
	return b
}

// Each tab makes a session of its own, and the cookie of one stays. The others used to live on after the logout, with all that began in
// them.
func TestA111_ALogoutEndsWhatTheOtherTabsBegan(t *testing.T) {
	t.Parallel()
	f := newSiblingFixture(t)
	b, another := f.visited(browser{}), f.visited(browser{})
	maps.Copy(b, f.visited(browser{})) // its first tabs were opened at once, so that it has two IDs
	mine, others := f.tabs(t, b, 3, time.Second), f.tabs(t, another, 1, time.Second)
	w := httptest.NewRecorder()
	ended, err := f.End(w, b.request())
	if err != nil || len(ended.Sessions) != 3 {
		t.Fatalf("ended %+v, error %v", ended, err)
	}
	for i, s := range mine {
		if f.lives(t, s) {
			t.Errorf("the session of tab %d lives", i)
		}
	}
	if !f.lives(t, others[0]) {
		t.Error("another browser's session ended")
	}
}

func TestSessionsOfAnotherTimeAreNoSiblings(t *testing.T) {
	t.Parallel()
	f := newSiblingFixture(t)
	b := f.visited(browser{})
	mine := f.tabs(t, b, 2, siblingAge+time.Second)
	if _, err := f.End(httptest.NewRecorder(), b.request()); err != nil || f.lives(t, mine[1]) || !f.lives(t, mine[0]) {
		t.Errorf("error %v: the first lives %v, the second %v", err, f.lives(t, mine[0]), f.lives(t, mine[1]))
	}
}

// Another tab may have renewed the session while this one's login was on its way.
func TestASessionThatWasRenewedMeanwhileIsASibling(t *testing.T) {
	t.Parallel()
	f := newSiblingFixture(t)
	b := f.visited(browser{})
	f.signIn(t, b, f.login("hq", "ada"))
	f.clock.add(time.Hour)
	slow := b.request() // of before the renewal
	if _, err := f.Current(slow); err != nil {
		t.Fatal(err)
	}
	renewed := f.signIn(t, b, f.login("hq", "ada"))
	w := httptest.NewRecorder()
	made, err := f.SignIn(w, slow, f.login("hq", "ada"))
	if err != nil || made.ID == renewed.ID {
		t.Fatalf("session %v, error %v", made, err)
	}
	b.take(w)
	if _, err := f.End(httptest.NewRecorder(), b.request()); err != nil || f.lives(t, made) || f.lives(t, renewed) {
		t.Errorf("error %v: lives %v %v", err, f.lives(t, made), f.lives(t, renewed))
	}
}

func TestTabsThatSignInAtTheSameMomentAreAllNoted(t *testing.T) {
	t.Parallel()
	f := newSiblingFixture(t)
	b := f.visited(browser{})
	var all sync.WaitGroup
	var mu sync.Mutex
	for _, r := range []*http.Request{b.request(), b.request(), b.request(), b.request()} {
		all.Go(func() {
			w := httptest.NewRecorder()
			_, err := f.SignIn(w, r, f.login("hq", "ada"))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			b.take(w)
		})
	}
	all.Wait()
	ended, err := f.End(httptest.NewRecorder(), b.request())
	if err != nil || len(ended.Sessions) != 4 {
		t.Errorf("ended %d sessions, error %v", len(ended.Sessions), err)
	}
}
