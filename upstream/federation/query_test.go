package federation

import (
	"context"
	"crypto"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"apostille/trust"
)

// alone is one member as a query service gives it.
func alone(n int, attrs string) string {
	spaces := root("")
	spaces = spaces[strings.Index(spaces, " xmlns"):strings.Index(spaces, ` ID=`)]
	return strings.Replace(office(n), "<md:EntityDescriptor ", `<md:EntityDescriptor`+spaces+` ID="_e" `+attrs+` `, 1)
}

// newQueryLab asks a service that has what documents has, by entityID.
func newQueryLab(t *testing.T, documents map[string][]byte) *lab {
	l := newLab(t)
	l.site.handle(func(w http.ResponseWriter, r *http.Request) {
		id, _ := url.PathUnescape(strings.TrimPrefix(r.URL.EscapedPath(), "/mdq/entities/"))
		b, ok := documents[id]
		if !ok {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(b)
	})
	l.ask()
	return l
}

func (l *lab) ask() {
	l.Replace(map[string]Source{"edu": {MDQ: l.site.URL + "/mdq/", Keys: []crypto.PublicKey{registrar.Public()}}})
}

func TestMembersAreAskedForOnDemand(t *testing.T) {
	t.Parallel()
	l := newQueryLab(t, map[string][]byte{entityID(1): sign(alone(1, until))})
	m, ok := l.Directory().ByIssuer(entityID(1))
	if !ok || m.Name != "University 1" || m.ID != trust.MemberID("edu", entityID(1)) {
		t.Fatalf("member: %+v", m)
	}
	if keys, err := l.Signers(context.Background(), "edu", entityID(1)); err != nil || !leaf.PublicKey.Equal(keys[0]) {
		t.Errorf("keys: %v %v", keys, err)
	}
	if _, ok := l.Directory().ByIssuer(entityID(2)); ok {
		t.Error("a member that the service does not know")
	}
	if l.site.asked.Load() != 2 {
		t.Errorf("asked %d times", l.site.asked.Load())
	}
	for range 50 {
		l.Directory().ByIssuer(entityID(2))
	}
	if l.site.asked.Load() != 2 {
		t.Error("who does not exist is asked for each time")
	}
	l.Federations = New(l.config)
	l.ask()
	if m, ok := l.Directory().ByID(trust.MemberID("edu", entityID(1))); !ok || m.EntityID != entityID(1) {
		t.Error("after a restart a member is not known by its ID")
	}
	for range l.Directory().All() {
		t.Error("members on demand are listed")
	}
}

func TestOnDemandToo_WhatIsWrongIsRefused(t *testing.T) {
	t.Parallel()
	good := string(sign(alone(1, until)))
	for name, b := range map[string][]byte{
		"unsigned":           []byte(alone(1, until)),
		"of somebody else":   signBy(other, alone(1, until)),
		"tampered":           []byte(strings.Replace(good, "idp1.example/sso", "evil.example/sso", 1)),
		"of another entity":  sign(alone(2, until)),
		"expired":            sign(alone(1, `validUntil="2026-03-02T11:59:59Z"`)),
		"without validUntil": sign(alone(1, "")),
		"valid for ever":     sign(alone(1, `validUntil="2036-03-02T11:59:59Z"`)),
		"an aggregate":       sign(root(until, office(1))),
	} {
		documents := map[string][]byte{entityID(1): b}
		l := newQueryLab(t, documents)
		if _, ok := l.Directory().ByIssuer(entityID(1)); ok {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestAMemberOnDemandServesWhileTheServiceIsDown(t *testing.T) {
	t.Parallel()
	l := newQueryLab(t, map[string][]byte{entityID(1): sign(alone(1, until))})
	if _, ok := l.Directory().ByIssuer(entityID(1)); !ok {
		t.Fatal("not found")
	}
	l.site.handle(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	l.clock.advance(2 * time.Hour)
	asked := l.site.asked.Load()
	if _, ok := l.Directory().ByID(trust.MemberID("edu", entityID(1))); !ok || l.site.asked.Load() != asked {
		t.Error("a decision waits for the service, or the member is gone")
	}
	if _, ok := l.Directory().ByIssuer(entityID(1)); !ok || l.site.asked.Load() != asked+1 {
		t.Error("the last good one is gone, or nobody asked")
	}
	l.site.handle(http.NotFound)
	l.clock.advance(2 * time.Minute)
	if _, ok := l.Directory().ByIssuer(entityID(1)); ok {
		t.Error("a member that left is still found")
	}
	l.clock.set(noon.Add(15 * 24 * time.Hour))
	if _, ok := l.Directory().ByIssuer(entityID(1)); ok {
		t.Error("expired metadata are relied on")
	}
}

func TestOneQuestionServesAll(t *testing.T) {
	t.Parallel()
	l := newQueryLab(t, map[string][]byte{entityID(1): sign(alone(1, until))})
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, ok := l.Directory().ByIssuer(entityID(1)); !ok {
				t.Error("not found")
			}
		})
	}
	all.Wait()
	if l.site.asked.Load() != 1 {
		t.Errorf("asked %d times", l.site.asked.Load())
	}
}

func TestStrangersCannotMakeItAskForEver(t *testing.T) {
	t.Parallel()
	l := newQueryLab(t, nil)
	for n := range 100 {
		l.Directory().ByIssuer(entityID(n))
	}
	if asked := l.site.asked.Load(); asked > queryBurst {
		t.Errorf("asked %d times at once", asked)
	}
	l.clock.advance(time.Hour)
	l.Directory().ByIssuer(entityID(200))
	if asked := l.site.asked.Load(); asked != queryBurst+1 {
		t.Errorf("asked %d times in the end", asked)
	}
}
