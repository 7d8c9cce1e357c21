package token

import (
	"context"
	"errors"
	"reflect"
	"strconv"
	"testing"
	"time"

	"apostille/broker/store"
	"apostille/trust"
)

var began = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func TestBucketsAreOnePerAddressAndClient(t *testing.T) {
	t.Parallel()
	l := NewLimits(Rate{PerSecond: 1, Burst: 2}, Rate{PerSecond: 1, Burst: 1})
	for _, c := range []struct {
		name  string
		after time.Duration
		ip    string
		want  bool
	}{
		{"the first passes", 0, "192.0.2.1", true},
		{"the burst passes", 0, "192.0.2.1", true},
		{"more does not", 0, "192.0.2.1", false},
		{"another address has a bucket of its own", 0, "192.0.2.2", true},
		{"too early still does not", 900 * time.Millisecond, "192.0.2.1", false},
		{"a second later one passes", 1100 * time.Millisecond, "192.0.2.1", true},
		{"and no more", 1100 * time.Millisecond, "192.0.2.1", false},
		{"an IPv6 site passes", 0, "2001:db8:1:1::1", true},
		{"its other hosts share its bucket", 0, "2001:db8:1:1:ffff::2", true},
		{"which is then empty", 0, "2001:db8:1:1::3", false},
		{"another site has its own", 0, "2001:db8:1:2::1", true},
	} {
		if got := l.allowIP(c.ip, began.Add(c.after)); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	if !l.allowClient("portal", began) || l.allowClient("portal", began) || !l.allowClient("robot", began) {
		t.Error("clients' buckets")
	}
}

func TestNoLimitsLetEverythingPass(t *testing.T) {
	t.Parallel()
	for name, l := range map[string]*Limits{"nil": nil, "rates of zero": NewLimits(Rate{}, Rate{})} {
		for range 1000 {
			if !l.allowIP("192.0.2.1", began) || !l.allowClient("portal", began) {
				t.Fatalf("%s limits", name)
			}
		}
	}
}

func TestNetworkIsWhoCountsAsOneSender(t *testing.T) {
	t.Parallel()
	for ip, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "2001:db8::1": "2001:db8::/64", "fe80::1%eth0": "fe80::/64", "::ffff:192.0.2.1": "::ffff:192.0.2.1", "not an address": "not an address", "": "",
	} {
		if got := network(ip); got != want {
			t.Errorf("%s: %s, wanted %s", ip, got, want)
		}
	}
}

func TestA120_BucketsAreBounded(t *testing.T) {
	t.Parallel()
	b := newBuckets(Rate{PerSecond: 1, Burst: 1})
	for i := range bucketsKept + 20000 {
		b.allow(strconv.Itoa(i), began)
	}
	b.kept.CleanUp()
	if got := b.kept.EstimatedSize(); got > bucketsKept {
		t.Errorf("%d buckets are kept, %d may be", got, bucketsKept)
	}
}

func TestTheGateLetsSoManyInAtOnce(t *testing.T) {
	t.Parallel()
	g := NewGate(2)
	first, err1 := g.Enter(t.Context())
	_, err2 := g.Enter(t.Context())
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.Enter(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("a third whose client left: %v", err)
	}
	waits := make(chan error, 1)
	go func() {
		_, err := g.Enter(context.WithoutCancel(t.Context()))
		waits <- err
	}()
	first()
	if err := <-waits; err != nil {
		t.Errorf("a third, once one had left: %v", err)
	}
}

// subjects is a store with marks.
type subjects struct {
	list []store.SubjectMark
	err  error
}

func (s *subjects) ListSubjects(context.Context) ([]store.SubjectMark, error) { return s.list, s.err }

func TestMarksAnswerFromAFreshPictureOnly(t *testing.T) {
	t.Parallel()
	at := began
	s := &subjects{list: []store.SubjectMark{{Sub: "blocked", Blocked: true}, {Sub: "cut", NotBefore: began}}}
	m := &Marks{Subjects: s, Now: func() time.Time { return at }}
	if m.Standing("anybody").Loaded {
		t.Error("before anything was read a standing is known")
	}
	if err := m.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	known := func(want bool) {
		t.Helper()
		for sub, mark := range map[string]store.SubjectMark{"blocked": {Blocked: true}, "cut": {NotBefore: began}, "anybody": {}} {
			expected := trust.Standing{Loaded: true, Blocked: mark.Blocked, NotBefore: mark.NotBefore}
			if !want {
				expected = trust.Standing{}
			}
			if got := m.Standing(sub); !reflect.DeepEqual(got, expected) {
				t.Errorf("%s: %+v, wanted %+v", sub, got, expected)
			}
		}
	}
	known(true)
	at = began.Add(marksFresh)
	known(true)
	at = began.Add(marksFresh + time.Second)
	known(false)
	m.Confirm()
	known(true)
	at = at.Add(marksFresh + time.Second)
	s.err = errors.New("locked")
	if err := m.Refresh(t.Context()); err == nil {
		t.Error("a failed read counts")
	}
	known(false)
	s.err, s.list = nil, nil
	if err := m.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := m.Standing("blocked"); !reflect.DeepEqual(got, trust.Standing{Loaded: true}) {
		t.Errorf("after the block: %+v", got)
	}
}
