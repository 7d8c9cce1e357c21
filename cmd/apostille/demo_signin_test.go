package main

import (
	"bytes"
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"apostille/upstream/fake"
)

// withCast runs the demo's parties for a test.
func withCast(t *testing.T, act func(*cast)) {
	t.Helper()
	var buffer bytes.Buffer
	d := &demo{app: &app{stdout: &buffer, stderr: &buffer}}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	if err := d.perform(ctx, func(_ context.Context, c *cast) error {
		act(c)
		if t.Failed() {
			t.Log(c.endOfLog())
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// button presses the button of a page that has a name and a value.
func press(t *testing.T, b *fake.Browser, at *fake.Page, name, value string) *fake.Page {
	t.Helper()
	for _, f := range at.Forms() {
		for _, btn := range f.Buttons {
			if btn.Name == name && btn.Value == value {
				next, err := b.Send(at, f, url.Values{name: {value}})
				if err != nil {
					t.Fatal(err)
				}
				return next
			}
		}
	}
	t.Fatalf("%s has no button %s=%s:\n%s", at.URL, name, value, at.Body)
	return nil
}

func open(t *testing.T, b *fake.Browser, link string) *fake.Page {
	t.Helper()
	p, err := b.Open(link)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestOneSignInOpensBothApplications(t *testing.T) {
	t.Parallel()
	withCast(t, func(c *cast) {
		b := fake.NewBrowser(nil)
		picker := open(t, b, c.urls.Portal+"/login")
		if !strings.Contains(picker.Text(), "HMart Region West") {
			t.Fatalf("no picker at %v (%d):\n%s", picker.Hops, picker.Status, picker.Text())
		}
		home, err := b.SignIn(press(t, b, picker, "trust", "head-office"), "alice")
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(home.Text(), "Signed in as Alice Martin") {
			t.Fatalf("not signed in at %v (%d):\n%s", home.Hops, home.Status, home.Text())
		}
		if stock := press(t, b, home, "", ""); !strings.Contains(stock.Text(), "kimchi") {
			t.Errorf("the warehouse did not answer: %s", stock.Text())
		}
		// The second application is somebody else's: no office is asked for, and what it may know is.
		consent := open(t, b, c.urls.Orders+"/login")
		if !strings.Contains(consent.Text(), "DDStore orders") || consent.URL.Host != strings.TrimPrefix(c.urls.Broker, "http://") {
			t.Fatalf("no question at %v (%d):\n%s", consent.Hops, consent.Status, consent.Text())
		}
		if orders := press(t, b, consent, "decision", "allow"); !strings.Contains(orders.Text(), "Signed in as Alice Martin") {
			t.Errorf("not signed in at %v:\n%s", orders.Hops, orders.Text())
		}
	})
}

func TestPeopleOfEachOfficeSignInWithTheirOwn(t *testing.T) {
	t.Parallel()
	withCast(t, func(c *cast) {
		b := fake.NewBrowser(nil)
		home, err := b.SignIn(press(t, b, open(t, b, c.urls.Portal+"/login"), "trust", "west"), "wendy")
		if err != nil || !strings.Contains(home.Text(), "Signed in as Wendy Okafor") {
			t.Errorf("%v: %s", err, home.Text())
		}
		// And with the one that speaks SAML, in another browser.
		b = fake.NewBrowser(nil)
		home, err = b.SignIn(press(t, b, open(t, b, c.urls.Portal+"/login"), "trust", "east"), "esra")
		if err != nil || !strings.Contains(home.Text(), "Signed in as Esra Yılmaz") {
			t.Fatalf("%v: %s", err, home.Text())
		}
		if stock := press(t, b, home, "", ""); !strings.Contains(stock.Text(), "kimchi") {
			t.Errorf("the warehouse did not answer: %s", stock.Text())
		}
	})
}

func TestSigningOutEndsBothApplications(t *testing.T) {
	t.Parallel()
	withCast(t, func(c *cast) {
		b := fake.NewBrowser(nil)
		home, err := b.SignIn(press(t, b, open(t, b, c.urls.Portal+"/login"), "trust", "head-office"), "alice")
		if err != nil {
			t.Fatal(err)
		}
		press(t, b, open(t, b, c.urls.Orders+"/login"), "decision", "allow")
		var logout fake.Form
		for _, f := range open(t, b, c.urls.Portal+"/").Forms() {
			if f.Action == "/logout" {
				logout = f
			}
		}
		question, err := b.Send(home, logout, nil)
		if err != nil || !strings.Contains(question.Text(), "Warehouse portal asks to sign you out") {
			t.Fatalf("%v at %v: %s", err, question.Hops, question.Text())
		}
		// Asking does not sign out: the other application is still in.
		if len(c.orders.SignedIn()) != 1 {
			t.Fatal("a logout request by itself signed somebody out")
		}
		back := press(t, b, question, "decision", "leave")
		if back.URL.String() != c.urls.Portal+"/" || !strings.Contains(back.Text(), "Nobody is signed in") {
			t.Errorf("went to %v: %s", back.Hops, back.Text())
		}
		eventually(t, "the other application was not told", func() bool { return len(c.orders.SignedIn()) == 0 })
		if again := open(t, b, c.urls.Orders+"/login?prompt=none"); !strings.Contains(again.Text(), "login_required") {
			t.Errorf("signed in again without being asked: %s", again.Text())
		}
	})
}

func TestPeopleSeeAndEndWhatIsTheirs(t *testing.T) {
	t.Parallel()
	withCast(t, func(c *cast) {
		b := fake.NewBrowser(nil)
		if page := open(t, b, c.urls.Broker+"/account"); page.Status != 401 || !strings.Contains(page.Text(), "Nobody is signed in") {
			t.Errorf("without a session: %d %s", page.Status, page.Text())
		}
		home, err := b.SignIn(press(t, b, open(t, b, c.urls.Portal+"/login"), "trust", "head-office"), "alice")
		if err != nil {
			t.Fatal(err)
		}
		press(t, b, open(t, b, c.urls.Orders+"/login"), "decision", "allow")
		mine := open(t, b, c.urls.Broker+"/account")
		for _, want := range []string{"Alice Martin", "HMart Head Office", "Warehouse portal", "DDStore orders", "See stock levels", "this one"} {
			if !strings.Contains(mine.Text(), want) {
				t.Errorf("the page does not say %q:\n%s", want, mine.Text())
			}
		}
		// Somebody else is signed in elsewhere, and sees nothing of it.
		other := fake.NewBrowser(nil)
		if _, err := other.SignIn(press(t, other, open(t, other, c.urls.Portal+"/login"), "trust", "head-office"), "bob"); err != nil {
			t.Fatal(err)
		}
		if theirs := open(t, other, c.urls.Broker+"/account"); strings.Contains(theirs.Text(), "Alice") || strings.Contains(theirs.Text(), "DDStore") {
			t.Errorf("Bob sees what is Alice's:\n%s", theirs.Text())
		}
		// Access that is withdrawn is gone at once, and has to be asked for again.
		mine = press(t, b, mine, "client", "ddstore-orders")
		if strings.Contains(mine.Text(), "DDStore orders Alice") {
			t.Errorf("still listed:\n%s", mine.Text())
		}
		eventually(t, "the application was not told", func() bool { return len(c.orders.SignedIn()) == 0 })
		if again := open(t, b, c.urls.Orders+"/login"); !strings.Contains(again.Text(), "Allow") {
			t.Errorf("not asked again:\n%s", again.Text())
		}
		if len(c.portal.SignedIn()) != 2 {
			t.Errorf("%d people are signed in to the portal, wanted both", len(c.portal.SignedIn()))
		}
		// Everywhere means everywhere of hers, and nobody else's.
		press(t, b, open(t, b, c.urls.Broker+"/account"), "all", "1")
		eventually(t, "the portal was not told", func() bool { return len(c.portal.SignedIn()) == 1 })
		if page := open(t, b, c.urls.Broker+"/account"); page.Status != 401 {
			t.Errorf("still signed in:\n%s", page.Text())
		}
		if page := open(t, other, c.urls.Broker+"/account"); page.Status != 200 {
			t.Errorf("Bob is signed out as well: %s", page.Text())
		}
		_ = home
	})
}

func TestAnAdminSignsPeopleOutBesideARunningBroker(t *testing.T) {
	t.Parallel()
	var buffer bytes.Buffer
	d := &demo{app: &app{stdout: &buffer, stderr: &buffer}}
	err := d.perform(t.Context(), func(_ context.Context, c *cast) error {
		b := fake.NewBrowser(nil)
		if _, err := b.SignIn(press(t, b, open(t, b, c.urls.Portal+"/login"), "trust", "head-office"), "alice"); err != nil {
			return err
		}
		command := func(args ...string) string {
			var out bytes.Buffer
			if code := run(t.Context(), append(args, "--config", c.configFile), bytes.NewReader(nil), &out, &out); code != 0 {
				t.Errorf("%v: exit code %d: %s", args, code, out.String())
			}
			return out.String()
		}
		if out := command("session", "list", "--trust", "head-office"); !strings.Contains(out, "head-office") {
			t.Errorf("she is not listed: %s", out)
		}
		if out := command("session", "revoke", "--trust", "west"); !strings.Contains(out, "0 sessions") || len(c.portal.SignedIn()) != 1 {
			t.Errorf("somebody else's trust: %s", out)
		}
		if out := command("session", "revoke", "--trust", "head-office"); !strings.Contains(out, "1 sessions and 1 families of tokens ended; 1 applications") {
			t.Errorf("revoke: %s", out)
		}
		eventually(t, "the application was not told", func() bool { return len(c.portal.SignedIn()) == 0 })
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Nothing links identities: two sign-ins in one browser stay two people, each with a subject, a session identity and tokens of its own.
func TestA93_TwoSignInsInOneBrowserStayTwoPeople(t *testing.T) {
	t.Parallel()
	withCast(t, func(c *cast) {
		b := fake.NewBrowser(nil)
		head, err := b.SignIn(press(t, b, open(t, b, c.urls.Portal+"/login"), "trust", "head-office"), "alice")
		if err != nil {
			t.Fatal(err)
		}
		alice := c.portal.SignedIn()
		west, err := b.SignIn(press(t, b, open(t, b, c.urls.Portal+"/login?prompt=select_account"), "trust", "west"), "wendy")
		if err != nil || !strings.Contains(head.Text(), "Alice Martin") || !strings.Contains(west.Text(), "Wendy Okafor") {
			t.Fatalf("%v\n%s\n%s", err, head.Text(), west.Text())
		}
		if wendy := c.portal.SignedIn(); len(alice) != 1 || len(wendy) != 1 || alice[0] == wendy[0] {
			t.Errorf("subjects %v and %v", alice, wendy)
		}
		mine := open(t, b, c.urls.Broker+"/account").Text()
		for _, want := range []string{"Alice Martin, HMart Head Office", "Wendy Okafor, HMart Region West"} {
			if !strings.Contains(mine, want) {
				t.Errorf("the page does not have %q beside the other:\n%s", want, mine)
			}
		}
	})
}

// The same address, verified at both offices, is no link: A91 has no proof to forge, since nothing is linked by it.
func TestA91_OneAddressAtTwoOfficesIsTwoPeople(t *testing.T) {
	t.Parallel()
	withCast(t, func(c *cast) {
		subs := map[string]bool{}
		for office, person := range map[string]string{"head-office": "alice", "west": "wendy"} {
			p := c.office
			if office == "west" {
				p = c.region
			}
			p.Break(fake.Faults{Login: fake.LoginFaults{UserInfo: map[string]any{"email": "same@hmart.example", "email_verified": true}}})
			b := fake.NewBrowser(nil)
			page, err := b.SignIn(press(t, b, open(t, b, c.urls.Portal+"/login"), "trust", office), person)
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.SplitSeq(page.Text(), "\n") {
				if sub, ok := strings.CutPrefix(line, "sub "); ok {
					subs[sub] = true
				}
			}
		}
		if len(subs) != 2 {
			t.Errorf("one address made %d people of two: %v", len(subs), subs)
		}
	})
}
