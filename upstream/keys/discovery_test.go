package keys

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestA51_DiscoverReadsOneDocumentOneWay(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		doc string
		ok  bool
	}{
		"the issuer":                     {`{"issuer":"ISS","jwks_uri":"u"}`, true},
		"another issuer":                 {`{"issuer":"ISS/"}`, false},
		"none":                           {`{}`, false},
		"a case variant only":            {`{"ISSUER":"ISS"}`, false},
		"a case variant that go takes":   {`{"issuer":"https://evil.example","ISSUER":"ISS"}`, false},
		"the issuer twice":               {`{"issuer":"https://evil.example","issuer":"ISS"}`, false},
		"another member twice":           {`{"issuer":"ISS","jwks_uri":"a","jwks_uri":"b"}`, false},
		"a document with something more": {`{"issuer":"ISS"} {}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewUnstartedServer(nil)
			issuer := "http://" + srv.Listener.Addr().String()
			srv.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, strings.ReplaceAll(tc.doc, "ISS", issuer))
			})
			srv.Start()
			t.Cleanup(srv.Close)
			doc, err := Discover(t.Context(), srv.Client(), issuer)
			if (err == nil) != tc.ok || tc.ok && doc["jwks_uri"] != "u" {
				t.Errorf("%v, %v", doc, err)
			}
			if err != nil && strings.Contains(err.Error(), "evil") {
				t.Errorf("the error quotes the upstream: %v", err)
			}
		})
	}
}
