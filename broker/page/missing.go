package page

import (
	"net/http"
	"strings"
)

// Missing answers a GET of what nobody serves: people get a page, programs a line.
func (r *Renderer) Missing() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Add("Vary", "Accept")
		if !strings.Contains(req.Header.Get("Accept"), "text/html") {
			http.NotFound(w, req)
			return
		}
		r.Error(w, req, ErrorPage{Status: http.StatusNotFound, Title: "page.notfound.title", Text: "page.notfound.text"})
	})
}
