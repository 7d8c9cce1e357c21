package logout_test

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"apostille/broker/logout"
	"apostille/broker/mint"
	"apostille/broker/store"
	"apostille/broker/store/memory"
	"apostille/trust"
)

// registry knows the applications of a test.
type registry map[string]*trust.Client

func (registry) Issuer() string                           { return "https://id.west.example" }
func (r registry) Client(id string) (*trust.Client, bool) { c, ok := r[id]; return c, ok }
func (registry) Trust(string) (*trust.Trust, bool)        { return nil, false }

// minter writes down what it is asked for.
type minter struct{ err error }

func (m minter) LogoutToken(t mint.LogoutToken, _ time.Time) (mint.Token, error) {
	return mint.Token{Raw: t.Client + "/" + t.Sub + "/" + t.SID}, m.err
}
func (minter) Sub(_ *trust.AppSpec, sub string) string { return "pairwise " + sub }

type bench struct {
	*logout.Deliveries
	store *memory.Store
	now   time.Time
	calls atomic.Int32
	code  atomic.Int32
	body  atomic.Value
	reg   registry
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{now: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.calls.Add(1)
		b.body.Store(r.PostFormValue("logout_token"))
		w.WriteHeader(int(b.code.Load()))
	}))
	t.Cleanup(server.Close)
	b.code.Store(http.StatusOK)
	b.store = memory.New(memory.Options{Now: func() time.Time { return b.now }})
	b.reg = registry{
		"told":   {ID: "told", Spec: trust.ClientSpec{App: &trust.AppSpec{BackchannelLogoutURI: server.URL + "/told"}}},
		"silent": {ID: "silent", Spec: trust.ClientSpec{App: &trust.AppSpec{}}},
		"off":    {ID: "off", Spec: trust.ClientSpec{Disabled: true, App: &trust.AppSpec{BackchannelLogoutURI: server.URL}}},
	}
	b.Deliveries = &logout.Deliveries{
		Store: b.store, Registry: func() logout.Registry { return b.reg }, Minter: minter{}, Client: server.Client(),
		Now: func() time.Time { return b.now }, Log: slog.New(slog.DiscardHandler),
	}
	return b
}

func family(client, sid string) store.Family {
	return store.Family{ID: client + sid, Client: client, SID: sid, Sub: "anna", Session: "s-1"}
}

func (b *bench) one(t *testing.T) store.Delivery {
	t.Helper()
	list, err := b.store.ListDeliveries(t.Context(), "s-1", 10)
	if err != nil || len(list) != 1 {
		t.Fatalf("%d deliveries, error %v", len(list), err)
	}
	return list[0]
}

func TestWhoWantsToHearOfALogoutIsToldOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	queued, err := b.Ended(t.Context(), nil, []store.Family{
		family("told", "sid"), family("told", "sid"), family("silent", "x"), family("off", "y"), family("gone", "z"),
	})
	if err != nil || len(queued) != 1 {
		t.Fatalf("%d queued, error %v", len(queued), err)
	}
	b.Step(t.Context())
	b.Step(t.Context())
	if got := b.body.Load(); b.calls.Load() != 1 || got != "told/pairwise anna/sid" {
		t.Errorf("%d calls, the last with %v", b.calls.Load(), got)
	}
	if d := b.one(t); d.Done.IsZero() || !d.Failed.IsZero() || d.Attempts != 1 {
		t.Errorf("%+v", d)
	}
}

// Two people of one browser, of two offices, share the application's sid: only the first used to be told of.
func TestAnApplicationHearsOfEachPersonOfASession(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ben := family("told", "sid")
	ben.ID, ben.Sub = "another", "ben"
	queued, err := b.Ended(t.Context(), nil, []store.Family{family("told", "sid"), ben, ben})
	if err != nil || len(queued) != 2 || queued[0].Sub != "pairwise anna" || queued[1].Sub != "pairwise ben" {
		t.Fatalf("queued %+v, error %v", queued, err)
	}
}

func TestAnApplicationThatDoesNotAnswerIsTriedAgainAndGivenUpInTheEnd(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.code.Store(http.StatusServiceUnavailable)
	if _, err := b.Ended(t.Context(), nil, []store.Family{family("told", "sid")}); err != nil {
		t.Fatal(err)
	}
	for attempt, pause := range []time.Duration{0, time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute} {
		if pause > 0 { // not before its time
			b.now = b.now.Add(pause - time.Millisecond)
			b.Step(t.Context())
		}
		b.now = b.now.Add(time.Millisecond)
		b.Step(t.Context())
		if got := int(b.calls.Load()); got != attempt+1 {
			t.Fatalf("%d attempts after %v, wanted %d", got, pause, attempt+1)
		}
	}
	if d := b.one(t); d.Failed.IsZero() || d.Error != "it answered 503" {
		t.Errorf("%+v", d)
	}
	b.now = b.now.Add(time.Hour)
	b.Step(t.Context())
	if b.calls.Load() != 6 {
		t.Error("it was tried after it had been given up")
	}
}

// An application that hangs, with many people signed in, used to keep the tokens of all others waiting: eight at a time, each for five
// seconds.
func TestAnApplicationThatHangsHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var tried atomic.Int32
	var well atomic.Bool
	hangs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if tried.Add(1); !well.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(hangs.Close)
	b.reg["hangs"] = &trust.Client{ID: "hangs", Spec: trust.ClientSpec{App: &trust.AppSpec{BackchannelLogoutURI: hangs.URL}}}
	var ended []store.Family
	for i := range 40 {
		ended = append(ended, family("hangs", strconv.Itoa(i)))
	}
	if _, err := b.Ended(t.Context(), nil, ended); err != nil {
		t.Fatal(err)
	}
	b.now = b.now.Add(time.Millisecond)
	if _, err := b.Ended(t.Context(), nil, []store.Family{family("told", "sid")}); err != nil {
		t.Fatal(err)
	}
	for range 6 { // eight at a time, 41 in all
		b.Step(t.Context())
	}
	if tried.Load() > 8 || b.calls.Load() != 1 {
		t.Errorf("%d attempts at the one, %d at the other", tried.Load(), b.calls.Load())
	}
	well.Store(true)
	for range 100 { // and once it answers, it hears of everybody
		b.now = b.now.Add(time.Second)
		b.Step(t.Context())
	}
	list, err := b.store.ListDeliveries(t.Context(), "s-1", 100)
	if err != nil || len(list) != 41 || slices.ContainsFunc(list, func(d store.Delivery) bool { return d.Done.IsZero() }) {
		t.Errorf("%d deliveries, error %v: %+v", len(list), err, list)
	}
}

func TestALaterAttemptSucceeds(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.code.Store(http.StatusBadGateway)
	if _, err := b.Ended(t.Context(), nil, []store.Family{family("told", "sid")}); err != nil {
		t.Fatal(err)
	}
	b.Step(t.Context())
	b.code.Store(http.StatusNoContent)
	b.now = b.now.Add(time.Second)
	b.Step(t.Context())
	if d := b.one(t); d.Done.IsZero() || d.Attempts != 2 || d.Error != "" {
		t.Errorf("%+v", d)
	}
}

func TestNobodyIsToldOfAnAddressThatIsNotRegisteredAnyMore(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if _, err := b.Ended(t.Context(), nil, []store.Family{family("told", "sid")}); err != nil {
		t.Fatal(err)
	}
	b.reg["told"] = &trust.Client{ID: "told", Spec: trust.ClientSpec{App: &trust.AppSpec{BackchannelLogoutURI: "https://elsewhere.example"}}}
	b.Step(t.Context())
	if d := b.one(t); d.Failed.IsZero() || b.calls.Load() != 0 {
		t.Errorf("%+v after %d calls", d, b.calls.Load())
	}
}

func TestATokenThatCannotBeMadeIsTriedAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Minter = minter{errors.New("no active signing key")}
	if _, err := b.Ended(t.Context(), nil, []store.Family{family("told", "sid")}); err != nil {
		t.Fatal(err)
	}
	b.Step(t.Context())
	if d := b.one(t); b.calls.Load() != 0 || !d.Failed.IsZero() || d.Error != "no logout token could be made" {
		t.Errorf("%+v", d)
	}
}
