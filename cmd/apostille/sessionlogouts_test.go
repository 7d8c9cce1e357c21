package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"apostille/broker/store"
)

func TestSessionLogoutsShowWhatIsKnownOfEachApplication(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	list := []store.Delivery{
		{Session: "s-1", Client: "new", Created: at, NextAt: at},
		{Session: "s-1", Client: "busy", Created: at, NextAt: at.Add(time.Minute), Attempts: 2, Error: "it answered 503"},
		{Session: "s-1", Client: "good", Created: at, Attempts: 1, Done: at},
		{Session: "s-1", Client: "lost", Created: at, Attempts: 6, Failed: at, Error: "it did not answer"},
	}
	var text, data bytes.Buffer
	if err := (&app{stdout: &text}).showLogouts(list); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(text.String(), "\n")
	for i, want := range [][]string{{"new", "queued"}, {"busy", "trying", "it answered 503"}, {"good", "confirmed"}, {"lost", "given_up", "it did not answer"}} {
		for _, word := range want {
			if !strings.Contains(lines[i+1], word) {
				t.Errorf("line %q has no %q", lines[i+1], word)
			}
		}
	}
	if err := (&app{stdout: &data, output: "json"}).showLogouts(list); err != nil {
		t.Fatal(err)
	}
	if got := data.String(); strings.Count(got, `"next"`) != 2 || strings.Count(got, `"state": "confirmed"`) != 1 {
		t.Errorf("%s", got)
	}
}
