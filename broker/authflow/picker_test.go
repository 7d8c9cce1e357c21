package authflow

import (
	"fmt"
	"io/fs"
	"net/url"
	"strings"
	"testing"

	"apostille/broker/chooser"
	"apostille/broker/page"
)

// realChooser is broker/chooser as the server wires it.
type realChooser struct {
	*chooser.Index
	*chooser.Pages
}

var _ Chooser = realChooser{}

// withRealPages puts the pages people see in the place of the tests' JSON.
func (f *fixture) withRealPages(t testing.TB) {
	t.Helper()
	renderer, err := page.New(page.Options{Base: "/broker", Messages: []fs.FS{Messages, chooser.Files}})
	if err != nil {
		t.Fatal(err)
	}
	offices := make([]chooser.Office, 0, len(f.registry.trusts))
	for id, tr := range f.registry.trusts {
		offices = append(offices, chooser.Office{ID: id, Name: tr.Spec.Name, Issuer: tr.Spec.Issuer})
	}
	real := realChooser{chooser.NewIndex(offices), &chooser.Pages{Page: renderer}}
	f.Flow.Chooser = func() Chooser { return real }
	f.Flow.Pages = &FailurePages{Writer: renderer}
}

func TestThePickerAsPeopleSeeIt(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.withRealPages(t)
	b := f.browser()
	a := b.get("/broker/oauth2/authorize?app=portal")
	for _, want := range []string{"Office of hq", "Office of west", "The Portal", `action="/broker/login"`} {
		if !strings.Contains(a.body, want) {
			t.Errorf("%s is missing in\n%s", want, a.body)
		}
	}
	if a.status != 200 || strings.Contains(a.body, "Office of other") {
		t.Errorf("%d: an office of another application", a.status)
	}
	_, sealed, _ := strings.Cut(a.path, "r=")
	state := stateOf(b.post("/broker/login", url.Values{"r": {sealed}, "trust": {"west"}, "remember": {"1"}}))
	if o := b.callback("west", state, "ben").outcome(t); !o.OK {
		t.Errorf("%+v", o)
	}
	if a = b.callback("west", state, "ben"); a.status != 400 || !strings.Contains(a.body, "This sign-in is over") ||
		!strings.Contains(a.body, "/broker/oauth2/authorize?app=portal") {
		t.Errorf("the back button: %d\n%s", a.status, a.body)
	}
}

func TestAPickerOfThousandsOfOfficesFitsIntoAURL(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ids := make([]string, 0, 5000)
	for n := range 5000 {
		id := fmt.Sprintf("office-%d", n)
		tr := *f.registry.trusts["hq"]
		tr.ID = id
		f.registry.trusts[id] = &tr
		ids = append(ids, id)
	}
	f.registry.of["portal"] = ids
	q := Request{Client: "portal", Trusts: ids, Return: "/broker/oauth2/authorize?x=y"}
	if n := len(f.offices(&q)); n != 5000 || q.Trusts != nil {
		t.Fatalf("%d offices, of which %d are named", n, len(q.Trusts))
	}
	if sealed, err := f.seal(q); err != nil || len(sealed) > 400 {
		t.Errorf("%d bytes, error %v", len(sealed), err)
	}
	q.Trusts = []string{"office-7", "unknown"}
	if got := f.offices(&q); fmt.Sprint(got) != "[office-7]" {
		t.Errorf("narrowed: %v", got)
	}
}

func BenchmarkLogin(b *testing.B) {
	f := newFixture(b)
	for b.Loop() {
		who := f.browser()
		state, _ := who.open("hq-only", "")
		if a := who.once("GET", "/broker/login/callback/hq?code=code-ada&state="+state, nil, "cross-site"); a.Code != 303 {
			b.Fatal(a.Code)
		}
		if f.trail.len() > 1000 {
			f.trail.events = nil
		}
	}
}
