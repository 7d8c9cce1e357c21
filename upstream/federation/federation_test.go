package federation

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"apostille/trust"
	"apostille/trust/xmlsec"
	"apostille/upstream/fetch"
)

func TestL09_AnAggregateBringsEachMemberByItsEntityID(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	sp := `<md:EntityDescriptor entityID="https://sp.example"><md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"/></md:EntityDescriptor>`
	l.site.publish(sign(root(until+` cacheDuration="PT6H"`, office(1), sp, office(2, keyDescriptor("", certificateOf(second))))))
	o := l.refresh(t)
	if o.Same || o.Header.Members != 2 || o.Header.CacheFor != 6*time.Hour || o.Header.LeftOut[string(outRole)] != 1 || o.Header.Change.First != 2 {
		t.Errorf("outcome: %+v", o)
	}
	m, ok := l.Directory().ByIssuer(entityID(2))
	want := trust.Member{
		ID: trust.MemberID("edu", entityID(2)), Federation: "edu", EntityID: entityID(2), Name: "University 2", Keywords: []string{"Universität 2", "uni2", "place of 2"},
		Logo: "https://idp2.example/logo.png", Scopes: []string{"idp2.example"}, Authority: "https://registry.example/",
		Attributes: map[string][]string{trust.CategoryAttribute: {"http://refeds.org/category/research-and-scholarship"}},
	}
	if !ok || fmt.Sprintf("%+v", *m) != fmt.Sprintf("%+v", want) {
		t.Errorf("member: %+v\nwant %+v", m, want)
	}
	if again, ok := l.Directory().ByID(want.ID); !ok || again.EntityID != entityID(2) {
		t.Errorf("by ID: %+v", again)
	}
	keys, err := l.Signers(context.Background(), "edu", entityID(2))
	if err != nil || len(keys) != 2 || !leaf.PublicKey.Equal(keys[0].(*ecdsa.PublicKey)) || !second.PublicKey.Equal(keys[1].(*ecdsa.PublicKey)) {
		t.Errorf("keys: %v %v", keys, err)
	}
	if p, err := l.Place("edu", entityID(1)); err != nil || p != (Place{Redirect: "https://idp1.example/sso"}) {
		t.Errorf("place: %+v %v", p, err)
	}
	for name, id := range map[string]string{"a service provider": "https://sp.example", "nobody": "https://x.example", "nothing": ""} {
		if _, ok := l.Directory().ByIssuer(id); ok {
			t.Errorf("%s is a member", name)
		}
	}
	if _, err := l.Signers(context.Background(), "other", entityID(1)); !errors.Is(err, errUnknown) {
		t.Errorf("keys by another federation: %v", err)
	}
}

// A41: whatever is wrong with a new aggregate, the last good one stays.
func TestA41_WhatIsWrongWithAnAggregateKeepsTheLastGood(t *testing.T) {
	t.Parallel()
	good := root(until, office(1), office(2), office(3))
	signed := string(sign(good))
	signature := signed[strings.Index(signed, "<ds:Signature"):strings.Index(signed, "</ds:Signature>")] + "</ds:Signature>"
	for name, tc := range map[string]struct {
		document []byte
		err      error
	}{
		"unsigned":                     {[]byte(good), xmlsec.ErrUnsigned},
		"signed by somebody else":      {signBy(other, good), xmlsec.ErrSignature},
		"tampered":                     {[]byte(strings.Replace(signed, "https://idp2.example/sso", "https://evil.example/sso", 1)), xmlsec.ErrSignature},
		"a member more than signed":    {[]byte(strings.Replace(signed, "</md:EntitiesDescriptor>", office(4)+"</md:EntitiesDescriptor>", 1)), xmlsec.ErrSignature},
		"two signatures":               {[]byte(strings.Replace(signed, signature, signature+signature, 1)), xmlsec.ErrShape},
		"truncated":                    {[]byte(signed[:len(signed)*2/3]), xmlsec.ErrMalformed},
		"HTML":                         {[]byte("<!DOCTYPE html><html><body>Maintenance</body></html>"), xmlsec.ErrMalformed},
		"nothing":                      {nil, xmlsec.ErrMalformed},
		"a bomb of entities":           {[]byte(`<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>` + signed), xmlsec.ErrMalformed},
		"a bomb of depth":              {[]byte(strings.Replace(signed, "<md:SingleSignOnService", strings.Repeat("<md:x>", 40)+strings.Repeat("</md:x>", 40)+"<md:SingleSignOnService", 1)), xmlsec.ErrTooLarge},
		"a member that never ends":     {[]byte(strings.Replace(signed, "University 2", strings.Repeat("u", 2<<20), 1)), xmlsec.ErrTooLarge},
		"a DOCTYPE in a member":        {[]byte(strings.Replace(signed, "<md:IDPSSODescriptor", "<!DOCTYPE x><md:IDPSSODescriptor", 1)), xmlsec.ErrMalformed},
		"an entity in a member":        {[]byte(strings.Replace(signed, "University 2", "&xxe;", 1)), xmlsec.ErrMalformed},
		"one member as the root":       {sign(strings.NewReplacer("EntitiesDescriptor", "EntityDescriptor").Replace(root(until))), errRoot},
		"expired":                      {sign(root(`validUntil="2026-03-02T12:00:00Z"`, office(1))), errExpired},
		"without validUntil":           {sign(root("", office(1))), errNoUntil},
		"valid for ever":               {sign(root(`validUntil="2046-03-02T12:00:00Z"`, office(1))), errFarUntil},
		"validUntil in another zone":   {sign(root(`validUntil="2026-03-16T12:00:00+01:00"`, office(1))), nil},
		"cacheDuration of no sense":    {sign(root(until+` cacheDuration="PT"`, office(1))), nil},
		"an entityID twice":            {sign(root(until, office(1), office(2), office(1))), errTwice},
		"an aggregate in an aggregate": {sign(root(until, office(1), `<md:EntitiesDescriptor/>`)), errNested},
		"no member that can be used":   {sign(root(until, `<md:EntityDescriptor entityID="https://sp.example"/>`)), errEmpty},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.site.publish(sign(root(until, office(1))))
			l.refresh(t)
			before, _ := os.ReadFile(l.path("edu"))
			l.site.publish(tc.document)
			o, err := l.Refresh(context.Background(), "edu")
			if err == nil || tc.err != nil && !errors.Is(err, tc.err) {
				t.Fatalf("refused with %v, expected %v", err, tc.err)
			}
			if got := l.members(); !slices.Equal(got, []string{entityID(1)}) || o.Header.Members != 1 {
				t.Errorf("members: %v", got)
			}
			if after, _ := os.ReadFile(l.path("edu")); string(after) != string(before) {
				t.Error("what is stored changed")
			}
			if s := l.Status()[0]; s.Err == nil || !s.Serving {
				t.Errorf("status: %+v", s)
			}
			if files, _ := os.ReadDir(l.config.Dir); len(files) != 1 {
				t.Errorf("left behind: %v", files)
			}
			if !strings.Contains(l.log.String(), "last good") {
				t.Error("nobody is told")
			}
			l.site.publish([]byte(signed)) // the twin
			if l.refresh(t); len(l.members()) != 3 || l.Status()[0].Err != nil {
				t.Error("a good one is not taken afterwards")
			}
		})
	}
}

// A113, L09: an aggregate is fetched by https, from where the configuration may reach, and in bounds.
func TestA113_TheGuardedClientFetches(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		url  string
		err  error
		body http.HandlerFunc
	}{
		"http":               {url: "http://md.example/md.xml", err: fetch.ErrScheme},
		"a private address":  {url: "https://10.1.2.3/md.xml", err: &fetch.AddressError{}},
		"the metadata cloud": {url: "https://169.254.169.254/md.xml", err: &fetch.AddressError{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.config.Client = fetch.New(fetch.Options{MaxBody: 1 << 20}).Client
			l.Federations = New(l.config)
			src := l.source()
			src.URL = tc.url
			l.Replace(map[string]Source{"edu": src})
			_, err := l.Refresh(context.Background(), "edu")
			var addr *fetch.AddressError
			if _, want := tc.err.(*fetch.AddressError); err == nil || want != errors.As(err, &addr) || !want && !errors.Is(err, tc.err) {
				t.Errorf("error: %v", err)
			}
		})
	}
	l := newLab(t)
	for name, answer := range map[string]http.HandlerFunc{
		"down": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"cut short": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "9")
			_, _ = w.Write([]byte("x"))
		},
		"304 at all": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) },
	} {
		l.site.handle(answer)
		if _, err := l.Refresh(context.Background(), "edu"); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	l.site.publish(sign(root(until, office(1))))
	l.refresh(t)
}

// R04: what was good outlives a restart, with its age, while the federation is down.
func TestR04_TheLastGoodOutlivesARestart(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.site.publish(sign(root(until, office(1), office(2))))
	l.refresh(t)
	l.site.handle(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	l.clock.advance(3 * time.Hour)
	l.restart()
	if got := l.members(); len(got) != 2 {
		t.Fatalf("members: %v", got)
	}
	if keys, err := l.Signers(context.Background(), "edu", entityID(2)); err != nil || len(keys) != 1 {
		t.Errorf("keys: %v %v", keys, err)
	}
	if s := l.Status()[0]; s.Age != 3*time.Hour || !s.Serving || s.Header.Members != 2 {
		t.Errorf("status: %+v", s)
	}
	l.clock.set(noon.Add(14*24*time.Hour - time.Second))
	if len(l.members()) != 2 {
		t.Error("a valid one is gone")
	}
	l.clock.advance(time.Second)
	if _, err := l.Signers(context.Background(), "edu", entityID(2)); err == nil || len(l.members()) > 0 || l.Status()[0].Serving {
		t.Error("expired metadata are relied on")
	}
}

func TestWhatIsStoredIsNotBelievedUnderOtherTerms(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.site.publish(sign(root(until, office(1))))
	l.refresh(t)
	for name, tc := range map[string]struct {
		change func(*Source)
		used   bool
	}{
		"the same":                {func(*Source) {}, true},
		"a second certificate":    {func(s *Source) { s.Keys = append(s.Keys, other.Public()) }, true},
		"another certificate":     {func(s *Source) { s.Keys = []crypto.PublicKey{other.Public()} }, false},
		"another URL":             {func(s *Source) { s.URL += "x" }, false},
		"no developer's any more": {func(s *Source) { s.Dev = true }, false},
		"another pace":            {func(s *Source) { s.Refresh = time.Minute }, true},
	} {
		src := l.source()
		tc.change(&src)
		m := New(l.config)
		m.Replace(map[string]Source{"edu": src})
		if _, used := m.Directory().ByIssuer(entityID(1)); used != tc.used {
			t.Errorf("%s: used %v", name, used)
		}
	}
	path := l.path("edu")
	whole, _ := os.ReadFile(path)
	for name, b := range map[string][]byte{
		"cut": whole[:len(whole)-30], "empty": nil, "of a byte more": append(slices.Clone(whole), 'x'),
		"with another name": []byte(strings.Replace(string(whole), "University", "Univarsity", 1)),
	} {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if l.restart(); len(l.members()) > 0 {
			t.Errorf("%s: a damaged index is used", name)
		}
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(whole), "idp1.example/sso", "evil.example/sso", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	l.restart()
	if _, err := l.Place("edu", entityID(1)); err == nil {
		t.Error("a damaged detail is used")
	}
}

func TestARefreshSaysWhatChanged(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.site.publish(sign(root(until, office(1), office(2), office(3), office(4))))
	l.refresh(t)
	if o := l.refresh(t); !o.Same || o.Header.Members != 4 {
		t.Errorf("nothing changed: %+v", o)
	}
	renamed := strings.Replace(office(4), "University 4", "Polytechnic 4", 1)
	l.site.publish(sign(root(until, office(1), office(3, keyDescriptor("", certificateOf(second))), renamed, office(5))))
	d := l.refresh(t).Header.Change
	if d.Added != 1 || d.Removed != 1 || d.Changed != 1 || d.Renamed != 1 ||
		!slices.Equal(d.Names, []string{"+ University 5 (" + entityID(5) + ")", "- University 2 (" + entityID(2) + ")", "~ University 3 (" + entityID(3) + ")"}) {
		t.Errorf("difference: %+v", d)
	}
	if got := d.String(); got != "1 came, 1 left, 1 with other certificates or places, 1 described anew" {
		t.Error(got)
	}
	if keys, _ := l.Signers(context.Background(), "edu", entityID(3)); len(keys) != 2 {
		t.Errorf("keys while they are rolled over: %d", len(keys))
	}
}

// A41: an old aggregate that is still valid must not come back.
func TestAnOlderPublicationIsRefused(t *testing.T) {
	t.Parallel()
	published := func(at string) string {
		return `<md:Extensions><mdrpi:PublicationInfo publisher="https://registry.example" creationInstant="` + at + `"/></md:Extensions>`
	}
	l := newLab(t)
	l.site.publish(sign(root(until, published("2026-03-02T10:00:00Z"), office(1))))
	l.refresh(t)
	l.site.publish(sign(root(until, published("2026-03-02T09:00:00Z"), office(1), office(2))))
	if _, err := l.Refresh(context.Background(), "edu"); !errors.Is(err, errOlder) || len(l.members()) != 1 {
		t.Errorf("error: %v", err)
	}
	l.site.publish(sign(root(until, published("2026-03-02T11:00:00Z"), office(1), office(2))))
	if l.refresh(t); len(l.members()) != 2 {
		t.Error("a newer one is not taken")
	}
}

func TestMembersThatCannotBeUsedAreLeftOut(t *testing.T) {
	t.Parallel()
	edit := func(n int, old, new string) string { return strings.Replace(office(n), old, new, 1) }
	l := newLab(t)
	l.site.publish(sign(root(until, office(1),
		edit(2, signingKey, keyDescriptor(` use="encryption"`, certificateOf(leaf))),
		edit(3, "https://idp3.example/sso", "http://idp3.example/sso"),
		edit(4, "https://idp4.example/sso", "javascript:alert(1)"),
		edit(5, `urn:oasis:names:tc:SAML:2.0:protocol`, `urn:oasis:names:tc:SAML:1.1:protocol`),
		edit(6, `entityID=`, `validUntil="2026-03-02T11:00:00Z" entityID=`),
		edit(7, `entityID="https`, `entityID=" https`),
		edit(8, certificateOf(leaf)[:4], "!!!!"),
		edit(9, "</md:EntityDescriptor>", office(9)[strings.Index(office(9), "<md:IDPSSODescriptor"):strings.Index(office(9), "</md:EntityDescriptor>")]+"</md:EntityDescriptor>"),
	)))
	o := l.refresh(t)
	if got := l.members(); !slices.Equal(got, []string{entityID(1)}) {
		t.Errorf("members: %v", got)
	}
	for why, n := range map[leftOut]int{outKeys: 2, outPlace: 2, outRole: 1, outExpired: 1, outName: 1, outRoles: 1} {
		if o.Header.LeftOut[string(why)] != n {
			t.Errorf("%s: %d, expected %d of %v", why, o.Header.LeftOut[string(why)], n, o.Header.LeftOut)
		}
	}
}

func TestDescriptionsOfMembers(t *testing.T) {
	t.Parallel()
	hide := `<saml:AttributeValue>` + hideCategory + `</saml:AttributeValue>`
	hidden := strings.Replace(office(1), "</saml:Attribute>", hide+"</saml:Attribute>", 1)
	names := `<mdui:DisplayName xml:lang="en">University 2</mdui:DisplayName><mdui:DisplayName xml:lang="de">Universität 2</mdui:DisplayName>`
	plain := strings.NewReplacer(names, "", `regexp="false"`, `regexp="true"`, "https://idp2.example/logo.png", "data:image/png;base64,AAAA").Replace(office(2))
	organisation := strings.Replace(strings.Replace(office(3), strings.ReplaceAll(names, "2", "3"), "", 1), "</md:EntityDescriptor>",
		`<md:Organization><md:OrganizationDisplayName xml:lang="fr">Université  3 </md:OrganizationDisplayName></md:Organization></md:EntityDescriptor>`, 1)
	l := newLab(t)
	src := l.source()
	src.Language = "de"
	l.Replace(map[string]Source{"edu": src})
	l.site.publish(sign(root(until, hidden, plain, organisation, strings.Replace(office(4), "idp4.example</shibmd", " IDP4.Example </shibmd", 1))))
	l.refresh(t)
	get := func(n int) *trust.Member { m, _ := l.Directory().ByIssuer(entityID(n)); return m }
	if m := get(1); !m.Hidden || m.Name != "Universität 1" || m.Keywords[0] != "University 1" {
		t.Errorf("hidden: %+v", m)
	}
	if m := get(2); m.Hidden || m.Name != "idp2.example" || m.Scopes != nil || m.Logo != "" {
		t.Errorf("plain: %+v", m)
	}
	if m := get(3); m.Name != "Université 3" {
		t.Errorf("organisation: %+v", m)
	}
	if m := get(4); !slices.Equal(m.Scopes, []string{"idp4.example"}) {
		t.Errorf("scope: %+v", m)
	}
}

func TestOfTwoFederationsWithOneMemberTheFirstCounts(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	path := filepath.Join(t.TempDir(), "md.xml")
	if err := os.WriteFile(path, sign(root(until, office(1, keyDescriptor("", certificateOf(second))), office(2))), 0o600); err != nil {
		t.Fatal(err)
	}
	l.Replace(map[string]Source{"edu": l.source(), "abc": {File: path, Keys: []crypto.PublicKey{registrar.Public()}}})
	l.site.publish(sign(root(until, office(1), office(3))))
	l.refresh(t)
	if _, err := l.Refresh(context.Background(), "abc"); err != nil {
		t.Fatal(err)
	}
	if m, ok := l.Directory().ByIssuer(entityID(1)); !ok || m.Federation != "abc" {
		t.Errorf("member: %+v", m)
	}
	if _, ok := l.Directory().ByID(trust.MemberID("edu", entityID(1))); ok {
		t.Error("it is a member of both")
	}
	if _, err := l.Signers(context.Background(), "edu", entityID(1)); err == nil {
		t.Error("its keys come from both")
	}
	if got := l.members(); len(got) != 3 {
		t.Errorf("members: %v", got)
	}
	if o, err := l.Refresh(context.Background(), "abc"); err != nil || !o.Same {
		t.Errorf("a file that did not change: %+v %v", o, err)
	}
}

func TestTheScheduleFollowsTheClock(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.site.publish(sign(root(until+` cacheDuration="PT30M"`, office(1))))
	l.sweepNow(t)
	for _, step := range []struct {
		after time.Duration
		asked int32
	}{{29 * time.Minute, 1}, {time.Minute, 2}, {29 * time.Minute, 2}, {time.Minute, 3}} {
		l.clock.advance(step.after)
		if l.sweepNow(t); l.site.asked.Load() != step.asked {
			t.Errorf("%s later it was asked %d times, expected %d", step.after, l.site.asked.Load(), step.asked)
		}
	}
	l.site.handle(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	l.clock.advance(30 * time.Minute)
	l.sweepNow(t) // fails: asked again after 1, 2, 4 … minutes
	for _, pause := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute} {
		asked := l.site.asked.Load()
		l.clock.advance(pause - time.Second)
		if l.sweepNow(t); l.site.asked.Load() != asked {
			t.Errorf("asked again before %s", pause)
		}
		l.clock.advance(time.Second)
		if l.sweepNow(t); l.site.asked.Load() != asked+1 {
			t.Errorf("not asked again after %s", pause)
		}
	}
}

func TestACommandBesideTheServerIsFollowed(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.site.publish(sign(root(until, office(1))))
	command := New(l.config)
	command.Replace(map[string]Source{"edu": l.source()})
	if _, err := command.Refresh(context.Background(), "edu"); err != nil {
		t.Fatal(err)
	}
	changes := 0
	server := New(l.config)
	server.cfg.OnChange = func(trust.Directory) { changes++ }
	server.cfg.Log = slog.New(slog.DiscardHandler)
	server.Replace(map[string]Source{"edu": l.source()})
	l.site.publish(sign(root(until, office(1), office(2))))
	if _, err := command.Refresh(context.Background(), "edu"); err != nil {
		t.Fatal(err)
	}
	l.Federations = server
	if l.sweepNow(t); len(l.members()) != 2 || changes != 2 {
		t.Errorf("%d members after %d changes", len(l.members()), changes)
	}
	if l.sweepNow(t); changes != 2 {
		t.Error("told of a change that is none")
	}
}

func TestWhatAKilledProcessLeftIsRemoved(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for name, age := range map[string]time.Duration{".federation-old": 3 * time.Hour, ".federation-new": time.Minute} {
		path := filepath.Join(l.config.Dir, name)
		if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Chtimes(path, noon, noon.Add(-age))); err != nil {
			t.Fatal(err)
		}
	}
	l.restart()
	if left, _ := filepath.Glob(filepath.Join(l.config.Dir, ".federation-*")); len(left) != 1 || !strings.HasSuffix(left[0], "new") {
		t.Errorf("left: %v", left)
	}
}

func TestNothingIsLeftOfAMemoryOnlyFederation(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.config.Dir = ""
	l.site.publish(sign(root(until, office(1))))
	l.restart()
	l.refresh(t)
	if _, err := l.Signers(context.Background(), "edu", entityID(1)); err != nil {
		t.Error(err)
	}
}
