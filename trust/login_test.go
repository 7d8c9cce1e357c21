package trust

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestALoginSurvivesStorage(t *testing.T) {
	t.Parallel()
	want := login().Subject
	want.Claims = map[string]any{
		"sub": "kim", "n": json.Number("12345678901234567890"), "f": json.Number("1.50"), "list": []any{"a", json.Number("1"), nil, true},
		"address": map[string]any{"country": "<KR>"}, "name": "김 \u2028",
	}
	want.IssuedAt = want.IssuedAt.Add(123456789)
	want.ClaimsAt = want.IssuedAt
	want.TokenID, want.Checks = "", nil
	b, err := EncodeLogin(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeLogin(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r := compile(t, office())
	q := refreshed()
	q.Subject = want
	before := r.Evaluate(q, live)
	q.Subject = got
	if diff := cmp.Diff(before, r.Evaluate(q, live)); diff != "" || !before.Granted {
		t.Errorf("another decision after storage (-before +after):\n%s", diff)
	}
}

func TestALoginInAnotherZoneIsTheSameLogin(t *testing.T) {
	t.Parallel()
	s := login().Subject
	s.AuthTime = s.AuthTime.In(time.FixedZone("KST", 9*3600))
	b, err := EncodeLogin(s)
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeLogin(b)
	if err != nil || !got.AuthTime.Equal(s.AuthTime) || got.AuthTime.Location() != time.UTC {
		t.Errorf("%v, %v", got.AuthTime, err)
	}
}

func TestOnlyLoginsAreStored(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]Subject{
		"nobody": {}, "a foreign token": foreign().Subject, "a token of ours": own().Subject, "a client": itself().Subject,
		"a login of two trusts": func() Subject { s := login().Subject; s.Origin = "other"; return s }(),
		"a login of nobody":     func() Subject { s := login().Subject; s.Sub = ""; return s }(),
	} {
		if _, err := EncodeLogin(s); err == nil {
			t.Errorf("%s is stored as a login", name)
		}
	}
	if _, err := EncodeLogin(login().Subject); err != nil {
		t.Errorf("twin: %v", err)
	}
}

func TestWhatIsNotAStoredLoginIsRefused(t *testing.T) {
	t.Parallel()
	b, err := EncodeLogin(login().Subject)
	if err != nil {
		t.Fatal(err)
	}
	good := string(b)
	for name, text := range map[string]string{
		"nothing": "", "null": "null", "an empty object": "{}", "an array": "[]", "half of it": good[:len(good)/2],
		"two of them":            good + good,
		"an unknown member":      `{"admin":true,` + good[1:],
		"a trust of wrong type":  strings.Replace(good, `"trust":"hq"`, `"trust":7`, 1),
		"no trust":               strings.Replace(good, `"trust":"hq"`, `"trust":""`, 1),
		"a time that is none":    strings.Replace(good, `"issued_at":"2026`, `"issued_at":"today`, 1),
		"claims that are a list": strings.Replace(good, `"claims":{`, `"claims":[{`, 1),
	} {
		s, err := DecodeLogin([]byte(text))
		if err == nil || s.Credential != "" || s.Sub != "" {
			t.Errorf("%s: %+v, %v", name, s, err)
		} else if strings.Contains(err.Error(), "logistics") || strings.Contains(err.Error(), "kim") {
			t.Errorf("%s: the error quotes claims: %v", name, err)
		}
	}
	if _, err := DecodeLogin(b); err != nil {
		t.Errorf("twin: %v", err)
	}
}

func FuzzDecodeLogin(f *testing.F) {
	b, _ := EncodeLogin(login().Subject)
	f.Add(b)
	f.Add([]byte(`{"trust":"a","sub":"b","claims":{"x":1e999}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := DecodeLogin(b)
		if err != nil {
			return
		}
		again, err := EncodeLogin(s)
		if err != nil {
			t.Fatalf("%q decodes and does not encode: %v", b, err)
		}
		if back, err := DecodeLogin(again); err != nil || !cmp.Equal(back, s) {
			t.Fatalf("%q changes: %v\n%s", b, err, cmp.Diff(s, back))
		}
	})
}
