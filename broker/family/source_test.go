package family_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"apostille/broker/family"
	"apostille/broker/oauth"
	"apostille/broker/store"
	"apostille/trust"
	"apostille/upstream"
)

// rotating is an upstream whose refresh tokens are good for one use. It ends the whole login when it sees one again (RFC 9700 §4.14.2).
type rotating struct {
	office
	mu      sync.Mutex
	current string
	ended   bool
}

func (o *rotating) Refresh(ctx context.Context, t *trust.Trust, token string) (upstream.Login, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended = o.ended || token != o.current; o.ended {
		return upstream.Login{}, &upstream.Error{Reason: trust.ReasonUpstreamError, Code: "invalid_grant"}
	}
	login, err := o.office.Refresh(ctx, t, token)
	o.current = login.Refresh
	return login, err
}

// Each family had its own copy of the upstream's refresh token: the first one to use it left the others with one that was worth nothing,
// and an upstream that takes its second use for theft ended them all.
func TestFamiliesOfOneLoginShareWhatTheUpstreamGives(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	o := &rotating{office: office{b: b, sub: kim}, current: "up"}
	b.families.Claims = o
	one := func(client string) got {
		return b.redeem(t, client, func(s *family.SignIn) { s.Upstream, s.Session = "up", session(t, b) })
	}
	shop, old := one("shop"), one("old")
	for range 3 {
		b.pass(10 * time.Minute)
		asked := o.asked.Load()
		shop = granted(t, b.refresh("shop", shop.str("refresh_token")))
		old = granted(t, b.refresh("old", old.str("refresh_token")))
		if o.asked.Load() != asked+1 {
			t.Errorf("asked %d times for one login", o.asked.Load()-asked)
		}
	}
	b.pass(10 * time.Minute)
	next := make(chan got, 1)
	go func() { next <- b.refresh("old", old.str("refresh_token")) }()
	shop = granted(t, b.refresh("shop", shop.str("refresh_token")))
	old = granted(t, <-next)
	if _, err := b.store.EndFamilies(t.Context(), store.FamilyQuery{ID: b.family(t, shop).ID}, "revoked"); err != nil {
		t.Fatal(err)
	}
	b.pass(10 * time.Minute)
	granted(t, b.refresh("old", old.str("refresh_token"))) // though the family that asked last is gone
	late := one("shop")                                    // its code carries what the login gave
	b.pass(10 * time.Minute)
	if g := granted(t, b.refresh("shop", late.str("refresh_token"))); claims(t, g.str("id_token"))["groups"] == nil || o.ended {
		t.Errorf("the upstream ended the login: %v; %s", o.ended, g.text)
	}
}

// session is the ID of kim's session at hq, made once.
func session(t *testing.T, b *bench) string {
	t.Helper()
	list, err := b.store.ListSessions(t.Context(), store.SessionQuery{ID: "s-1"}, 1)
	if err == nil && len(list) == 0 {
		until := b.Now().Add(12 * time.Hour)
		err = b.store.CreateSession(t.Context(), hashOf("cookie"), store.Session{ID: "s-1", Created: b.Now(), Seen: b.Now(), IdleUntil: until, Until: until,
			Identities: []store.Identity{{Trust: "hq", Sub: kim, Until: until, Value: []byte("x")}}})
	}
	if err != nil {
		t.Fatal(err)
	}
	return "s-1"
}

// overtaken is an upstream that another process asks first, with the same token.
type overtaken struct {
	*rotating
	before func()
}

func (o overtaken) Refresh(ctx context.Context, t *trust.Trust, token string) (upstream.Login, error) {
	o.before()
	return upstream.Login{}, &upstream.Error{Reason: trust.ReasonUpstreamError, Code: "invalid_grant"}
}

func TestWhatAnotherProcessWasGivenCounts(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	o := &rotating{office: office{b: b, sub: kim}, current: "up"}
	mine := b.families
	theirs := &family.Families{Store: mine.Store, Sessions: mine.Sessions, Sources: mine.Sources, Box: mine.Box, Now: mine.Now, Claims: o}
	one := func(client string) got { return b.redeem(t, client, func(s *family.SignIn) { s.Upstream = "up" }) }
	shop, old := one("shop"), one("old")
	b.pass(10 * time.Minute)
	ask := func() {
		grant := family.RefreshGrant{Families: theirs}
		if _, err := grant.Present(t.Context(), b.policy.Registry, "old", oauth.ParamsOf("refresh_token", old.str("refresh_token"))); err != nil {
			t.Error(err)
		}
	}
	mine.Claims = overtaken{o, ask}
	g := granted(t, b.refresh("shop", shop.str("refresh_token")))
	if groups, _ := claims(t, g.str("id_token"))["groups"].([]any); !slices.Equal(groups, []any{"night"}) || o.asked.Load() != 1 {
		t.Errorf("asked %d times: %s", o.asked.Load(), g.text)
	}
	mine.Claims = overtaken{o, func() {}} // the twin: nobody was faster
	b.pass(10 * time.Minute)
	b.refused(t, b.refresh("shop", g.str("refresh_token")), "invalid_grant", trust.ReasonUpstreamError)
}

func TestWhatAnUpstreamGaveIsSealedAndEndsWithTheSession(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	o := &rotating{office: office{b: b, sub: kim}, current: "up"}
	spy := &sources{Sources: b.store}
	b.families.Claims, b.families.Sources = o, spy
	first := b.redeem(t, "shop", func(s *family.SignIn) { s.Upstream, s.Session = "up", session(t, b) })
	b.pass(10 * time.Minute)
	spy.during = func() { // the office says that the session is over while it answers
		if _, _, err := b.store.EndSessions(t.Context(), store.SessionQuery{ID: "s-1"}); err != nil {
			t.Error(err)
		}
	}
	b.refused(t, b.refresh("shop", first.str("refresh_token")), "invalid_grant", trust.ReasonRevoked)
	for _, never := range []string{"up+", "night", kim} {
		if len(spy.value) == 0 || strings.Contains(string(spy.value), never) {
			t.Errorf("kept: %s", spy.value)
		}
	}
}

// sources sees what is kept, and lets something happen before.
type sources struct {
	store.Sources
	value  []byte
	during func()
}

func (s *sources) PutSource(ctx context.Context, put store.Source, was []byte) (bool, error) {
	s.value = put.Value
	s.during()
	return s.Sources.PutSource(ctx, put, was)
}
