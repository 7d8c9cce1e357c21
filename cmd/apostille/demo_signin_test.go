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
	})
}
