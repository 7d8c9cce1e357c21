package audit

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func log(events ...*Event) string {
	var b []byte
	for _, e := range events {
		b = appendEvent(b, e, noon)
	}
	return string(b)
}

// find is what a search yields: ids, with "!" for a line that is no event.
func find(t *testing.T, text string, f Filter) string {
	t.Helper()
	var got []string
	for e, err := range Search(strings.NewReader(text), f) {
		switch {
		case err == nil:
			got = append(got, e.ID)
		case errors.Is(err, ErrLine):
			got = append(got, "!")
		default:
			t.Fatal(err)
		}
	}
	return strings.Join(got, " ")
}

func TestSearch(t *testing.T) {
	t.Parallel()
	text := log(
		&Event{ID: "1", Event: EventIssued, Client: "portal", Trust: "hq", Subject: "s1", Time: noon},
		&Event{ID: "2", Event: EventRefused, Client: "portal", Trust: "hq", Subject: "s2", Reason: "no_rule", Time: noon.Add(time.Minute)},
		&Event{ID: "3", Event: EventRefused, Client: "other", Trust: "east", Reason: "expired", Time: noon.Add(2 * time.Minute)},
	)
	for name, c := range map[string]struct {
		filter Filter
		want   string
	}{
		"nothing set finds all":            {Filter{}, "1 2 3"},
		"by correlation id":                {Filter{ID: "2"}, "2"},
		"by client":                        {Filter{Client: "portal"}, "1 2"},
		"by trust":                         {Filter{Trust: "east"}, "3"},
		"by subject":                       {Filter{Subject: "s1"}, "1"},
		"by reason":                        {Filter{Reason: "expired"}, "3"},
		"all that is set must agree":       {Filter{Client: "portal", Reason: "no_rule"}, "2"},
		"nothing agrees":                   {Filter{Client: "portal", Trust: "east"}, ""},
		"a part of a name is not the name": {Filter{Client: "port"}, ""},
		"since is included":                {Filter{Since: noon.Add(time.Minute)}, "2 3"},
		"until is excluded":                {Filter{Until: noon.Add(time.Minute)}, "1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := find(t, text, c.filter); got != c.want {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

func TestSearchSurvivesBadLines(t *testing.T) {
	t.Parallel()
	one, two := log(&Event{ID: "1", Event: "e"}), log(&Event{ID: "2", Event: "e"})
	for name, c := range map[string]struct{ text, want string }{
		"a torn line in the middle":       {one + `{"time":"20` + "\n" + two, "1 ! 2"},
		"a torn line at the end":          {one + `{"time":"20`, "1 !"},
		"a last line without its newline": {one + strings.TrimSuffix(two, "\n"), "1 2"},
		"empty lines":                     {"\n" + one + "\n\r\n" + two + "\n", "1 2"},
		"JSON that is no event":           {`{}` + "\n" + `[1]` + "\n" + `{"event":"x"}` + "\n" + one, "! ! ! 1"},
		"a line longer than any":          {strings.Repeat("x", 3*maxLine) + "\n" + one, "! 1"},
		"fields of a later version":       {`{"new":{"a":1},` + one[1:], "1"},
		"nothing at all":                  {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := find(t, c.text, Filter{}); got != c.want {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
	t.Run("an error names the line and quotes nothing of it", func(t *testing.T) {
		t.Parallel()
		for _, err := range Search(strings.NewReader("\nsecret\n"), Filter{}) {
			if err == nil || err.Error() != "line 2: audit: not an event" {
				t.Errorf("error %v", err)
			}
		}
	})
	t.Run("a reader's own error is told, and ends it", func(t *testing.T) {
		t.Parallel()
		broken := errors.New("broken")
		var last error
		n := 0
		for _, err := range Search(io.MultiReader(strings.NewReader(one), iotest.ErrReader(broken)), Filter{}) {
			n, last = n+1, err
		}
		if n != 2 || !errors.Is(last, broken) {
			t.Errorf("%d results, the last error %v", n, last)
		}
	})
	t.Run("a caller who has enough may stop", func(t *testing.T) {
		t.Parallel()
		n := 0
		for range Search(strings.NewReader(one+two), Filter{}) {
			n++
			break
		}
		if n != 1 {
			t.Errorf("%d results", n)
		}
	})
}

func FuzzSearch(f *testing.F) {
	f.Add("{}\n\n" + log(full()))
	f.Fuzz(func(t *testing.T, text string) {
		n := 0
		for e, err := range Search(strings.NewReader(text), Filter{}) {
			if n++; err == nil && e.Event == "" {
				t.Error("an event without a name")
			}
		}
		if lines := strings.Count(text, "\n") + 1; n > lines {
			t.Errorf("%d results from %d lines", n, lines)
		}
	})
}
