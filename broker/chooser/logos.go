package chooser

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"
)

// Limits of logos.
const (
	maxLogo      = 100 << 10 // bytes of one
	logosKept    = 16 << 20  // bytes of all
	logosAtOnce  = 4         // fetched at the same time
	logoTimeout  = 10 * time.Second
	logoFresh    = 24 * time.Hour   // fetched again after that; the old one is shown meanwhile
	logoRetry    = 10 * time.Minute // after one that failed
	logoOverhead = 256              // bytes that one costs beside its own
)

// LogoOptions of Logos. Find, Fetch and Log are required.
type LogoOptions struct {
	Base string // the issuer's path, without trailing slash
	// Find returns the URL of a trust's logo; false = it has none, or nobody signs in with it.
	Find func(trust string) (string, bool)
	// Fetch gets a document with the guarded client for URLs of the configuration, such as fetch.Get does.
	Fetch func(ctx context.Context, url string) ([]byte, http.Header, error)
	Now   func() time.Time // nil = time.Now
	Log   *slog.Logger
}

// Logos serves the offices' logos at BASE/login/logo/{trust}. They are fetched by the broker, checked and kept, so that the page
// needs no stranger's image and no office learns who looks at the picker.
type Logos struct {
	opts  LogoOptions
	kept  *otter.Cache[string, logo] // by URL
	slots chan struct{}

	mu     sync.Mutex
	flying map[string]chan struct{} // by URL; closed when the fetch is over
}

var _ http.Handler = (*Logos)(nil)

// logo is what became of one URL.
type logo struct {
	image
	at     time.Time
	failed bool
}

// NewLogos makes Logos. Nothing is fetched before a logo is to be shown.
func NewLogos(o LogoOptions) *Logos {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Logos{
		opts: o, slots: make(chan struct{}, logosAtOnce), flying: map[string]chan struct{}{},
		kept: otter.Must(&otter.Options[string, logo]{
			MaximumWeight: logosKept,
			Weigher:       func(link string, l logo) uint32 { return uint32(len(l.body) + len(link) + logoOverhead) },
		}),
	}
}

// URL returns the address of an office's logo, and "" while there is none to show: the page then has initials, and the logo is
// being fetched for the next time. A page neither waits for a stranger nor shows a broken image.
func (l *Logos) URL(o Office) string {
	if o.Logo == "" {
		return ""
	}
	had, ok := l.kept.GetIfPresent(o.Logo)
	if !ok || l.stale(had) {
		l.fetch(o.Logo)
	}
	if !ok || had.failed {
		return ""
	}
	return l.opts.Base + "/login/logo/" + url.PathEscape(o.ID)
}

func (l *Logos) stale(had logo) bool {
	age := l.opts.Now().Sub(had.at)
	return age > logoFresh || had.failed && age > logoRetry
}

// ServeHTTP answers with the logo of the trust in the last element of the path, or 404.
func (l *Logos) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "GET only", http.StatusMethodNotAllowed)
		return
	}
	found, ok := l.get(r.Context(), path.Base(r.URL.Path))
	if !ok {
		h.Set("Cache-Control", "no-store")
		http.NotFound(w, r)
		return
	}
	h.Set("Cache-Control", "public, max-age=86400")
	h.Set("ETag", found.etag)
	if r.Header.Get("If-None-Match") == found.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", found.kind)
	h.Set("Content-Length", strconv.Itoa(len(found.body)))
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodGet {
		_, _ = w.Write(found.body) // the browser went away: nothing is left to tell it
	}
}

// get returns a trust's logo, waiting for the fetch if it was never fetched.
func (l *Logos) get(ctx context.Context, trust string) (logo, bool) {
	link, ok := l.opts.Find(trust)
	if !ok || link == "" {
		return logo{}, false
	}
	had, ok := l.kept.GetIfPresent(link)
	if !ok {
		done := l.fetch(link)
		if done == nil {
			return logo{}, false
		}
		select {
		case <-done:
		case <-ctx.Done():
		}
		had, ok = l.kept.GetIfPresent(link)
	}
	return had, ok && !had.failed
}

// fetch starts fetching a URL, unless that is under way. The channel is closed when it is over; nil: too many are under way.
func (l *Logos) fetch(link string) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if done := l.flying[link]; done != nil {
		return done
	}
	select {
	case l.slots <- struct{}{}:
	default:
		return nil
	}
	done := make(chan struct{})
	l.flying[link] = done
	go func() {
		defer l.landed(link, done)
		l.load(link)
	}()
	return done
}

func (l *Logos) landed(link string, done chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.flying, link)
	<-l.slots
	close(done)
}

// load fetches, checks and keeps one logo. One that fails does not replace one that was good.
func (l *Logos) load(link string) {
	ctx, cancel := context.WithTimeout(context.Background(), logoTimeout)
	defer cancel()
	img, err := l.read(ctx, link)
	if err == nil {
		l.kept.Set(link, logo{image: img, at: l.opts.Now()})
		return
	}
	l.opts.Log.Warn("a logo cannot be shown", "error", err.Error())
	had, ok := l.kept.GetIfPresent(link)
	if !ok {
		had = logo{failed: true}
	}
	had.at = l.opts.Now()
	if !had.failed {
		had.at = had.at.Add(logoRetry - logoFresh) // asked again as soon as a failed one is
	}
	l.kept.Set(link, had)
}

// read fetches and checks. Decoders of images meet a stranger's bytes here: a panic is an error (DESIGN.md, "Failure rules").
func (l *Logos) read(ctx context.Context, link string) (img image, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("the logo made its decoder panic")
		}
	}()
	body, header, err := l.opts.Fetch(ctx, link)
	if err != nil {
		return image{}, fmt.Errorf("fetching a logo: %w", err)
	}
	return newImage(body, header.Get("Content-Type"))
}
