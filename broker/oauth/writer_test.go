package oauth_test

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"apostille/broker/oauth"
)

func TestWriteTokenAnswersAsRFC6749Section5Point1(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	oauth.WriteToken(w, &oauth.TokenResponse{AccessToken: "a.b.c", TokenType: "Bearer", ExpiresIn: 600})
	if w.Code != 200 || w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("status %d, header %v", w.Code, w.Header())
	}
	if w.Header().Get("Content-Length") != strconv.Itoa(w.Body.Len()) {
		t.Errorf("Content-Length %s for %d bytes", w.Header().Get("Content-Length"), w.Body.Len())
	}
	// The scope always stands there, empty too; issued_token_type only where RFC 8693 has it.
	if got, want := w.Body.String(), `{"access_token":"a.b.c","token_type":"Bearer","expires_in":600,"scope":""}`; got != want {
		t.Errorf("body %s, wanted %s", got, want)
	}
}

func TestWriteErrorSetsWhatTheErrorAsksFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name             string
		e                oauth.Error
		retry, challenge string
	}{
		{"a plain one has neither", oauth.Error{Code: "invalid_request", Status: 400}, "", ""},
		{"one to come back after says when", oauth.Error{Code: "temporarily_unavailable", Status: 429, RetryAfter: 7}, "7", ""},
		{"one with a challenge carries it", oauth.Error{Code: "invalid_client", Status: 401, Challenge: `Basic realm="x"`}, "", `Basic realm="x"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			oauth.WriteError(w, &c.e, "ref-1")
			h := w.Header()
			if w.Code != c.e.Status || h.Get("Retry-After") != c.retry || h.Get("WWW-Authenticate") != c.challenge || h.Get("Cache-Control") != "no-store" {
				t.Errorf("status %d, header %v", w.Code, h)
			}
			var body map[string]string
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || body["error"] != c.e.Code || body["reference"] != "ref-1" {
				t.Errorf("body %s, error %v", w.Body, err)
			}
		})
	}
}

func TestA119_TheCauseNeverReachesABody(t *testing.T) {
	t.Parallel()
	cause := errors.New("eyJhbGciOiJSUzI1NiJ9.secret\r\nnext line")
	for _, grant := range grants {
		for _, reason := range reasons(t) {
			e := oauth.ErrorFor(grant, reason, cause)
			w := httptest.NewRecorder()
			oauth.WriteError(w, e, "ref")
			if strings.Contains(w.Body.String(), "secret") || strings.Contains(w.Body.String(), "eyJ") {
				t.Errorf("%s at %q tells its cause: %s", reason, grant, w.Body)
			}
			if !errors.Is(e, cause) || !strings.Contains(e.Error(), "secret") {
				t.Errorf("%s at %q keeps its cause from the log", reason, grant)
			}
		}
	}
}
