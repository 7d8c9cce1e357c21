package chooser

import (
	"bytes"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"apostille/broker/page"
)

func newRenderer(tb testing.TB, log *slog.Logger) *page.Renderer {
	tb.Helper()
	r, err := page.New(page.Options{Brand: "HMart West", Contact: "help@west.hmart.example", Messages: []fs.FS{Files}, Log: log})
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// newPages fails the test if a template or a message is logged as missing.
func newPages(tb testing.TB) *Pages {
	tb.Helper()
	var logged bytes.Buffer
	tb.Cleanup(func() {
		if logged.Len() > 0 {
			tb.Errorf("logged: %s", logged.String())
		}
	})
	return &Pages{Page: newRenderer(tb, slog.New(slog.NewTextHandler(&logged, nil)))}
}

func view(r Ranking) View {
	return View{
		Action: "/login", SearchURL: "/login/search", ForgetURL: "/login/forget", CancelURL: "/oauth2/authorize?cancel=1",
		Sealed: strings.Repeat("S3al", 128), ClientName: "Warehouse Portal", Ranking: r, Remember: true,
	}
}

// shown renders a view as the browser would get it for a target.
func shown(tb testing.TB, v View, target string) *httptest.ResponseRecorder {
	tb.Helper()
	w := httptest.NewRecorder()
	newPages(tb).Write(w, httptest.NewRequest(http.MethodGet, target, nil), v)
	return w
}
