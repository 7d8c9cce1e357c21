package chooser

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	stdimage "image"
	"image/jpeg"
	"image/png"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func pngOf(t *testing.T, width, height int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, stdimage.NewGray(stdimage.Rect(0, 0, width, height))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jpegOf(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, stdimage.NewGray(stdimage.Rect(0, 0, 8, 8)), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// webpOf makes the head of a WebP file in its three forms (RFC 9649).
func webpOf(form string, width, height int) []byte {
	b := append([]byte("RIFF\x00\x00\x00\x00WEBP"+form), make([]byte, 40)...)
	switch form {
	case "VP8 ":
		copy(b[23:], []byte{0x9d, 0x01, 0x2a})
		binary.LittleEndian.PutUint16(b[26:], uint16(width))
		binary.LittleEndian.PutUint16(b[28:], uint16(height))
	case "VP8L":
		b[20] = 0x2f
		binary.LittleEndian.PutUint32(b[21:], uint32(width-1)|uint32(height-1)<<14)
	case "VP8X":
		b[24], b[25], b[27], b[28] = byte(width-1), byte((width-1)>>8), byte(height-1), byte((height-1)>>8)
	}
	return b
}

func TestOnlySmallPicturesOfThreeKindsAreShown(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body []byte
		kind string
		want error
	}{
		"a PNG":                               {pngOf(t, 64, 64), "image/png", nil},
		"a JPEG":                              {jpegOf(t), "image/jpeg", nil},
		"a PNG with a parameter":              {pngOf(t, 64, 64), "image/png; charset=binary", nil},
		"a WebP, lossy":                       {webpOf("VP8 ", 64, 32), "image/webp", nil},
		"a WebP, lossless":                    {webpOf("VP8L", 64, 32), "image/webp", nil},
		"a WebP, extended":                    {webpOf("VP8X", 2048, 2048), "image/webp", nil},
		"A112 an SVG":                         {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), "image/svg+xml", errLogoKind},
		"A112 an SVG that says it is a PNG":   {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), "image/png", errLogoKind},
		"A112 a page that says it is a PNG":   {[]byte("<!doctype html><script>alert(1)</script>"), "image/png", errLogoKind},
		"A112 a PNG that says it is a page":   {pngOf(t, 8, 8), "text/html", errLogoKind},
		"a PNG that says it is a JPEG":        {pngOf(t, 8, 8), "image/jpeg", errLogoKind},
		"a GIF":                               {[]byte("GIF89a\x01\x00\x01\x00"), "image/gif", errLogoKind},
		"a PNG without a type":                {pngOf(t, 8, 8), "", errLogoKind},
		"more bytes than fit":                 {append(pngOf(t, 8, 8), make([]byte, maxLogo)...), "image/png", errLogoSize},
		"a small file that is a huge PNG":     {pngOf(t, 4096, 4), "image/png", errLogoSides},
		"a small file that is a huge WebP":    {webpOf("VP8X", 5000, 8), "image/webp", errLogoSides},
		"a huge lossless WebP":                {webpOf("VP8L", 9000, 8), "image/webp", errLogoSides},
		"a WebP without a start code":         {append([]byte("RIFF\x00\x00\x00\x00WEBPVP8 "), make([]byte, 40)...), "image/webp", errLogoSides},
		"a WebP with a chunk nobody knows":    {append([]byte("RIFF\x00\x00\x00\x00WEBPVPXX"), make([]byte, 40)...), "image/webp", errLogoSides},
		"a WebP that is cut short":            {[]byte("RIFF\x00\x00\x00\x00WEBPVP8 "), "image/webp", errLogoSides},
		"the signature of a PNG, and no more": {[]byte("\x89PNG\r\n\x1a\n"), "image/png", errLogoSides},
		"nothing":                             {nil, "image/png", errLogoKind},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := newImage(tc.body, tc.kind); !errors.Is(err, tc.want) {
				t.Errorf("%v, want %v", err, tc.want)
			}
		})
	}
}

// site is where logos come from.
type site struct {
	mu      sync.Mutex
	body    []byte
	err     error
	asked   atomic.Int32
	release chan struct{} // if set, fetches wait for it
	panics  bool
}

func (s *site) fetch(ctx context.Context, _ string) ([]byte, http.Header, error) {
	s.asked.Add(1)
	if s.release != nil {
		select {
		case <-s.release:
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
	}
	if s.panics {
		panic("a decoder")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.body, http.Header{"Content-Type": {"image/png"}}, s.err
}

func (s *site) answer(body []byte, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.body, s.err = body, err
}

// clock is moved by hand.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(c.at.Load(), 0) }
func (c *clock) advance(d time.Duration) { c.at.Add(int64(d / time.Second)) }

func newLogos(s *site, c *clock) *Logos {
	return NewLogos(LogoOptions{
		Base: "/id", Fetch: s.fetch, Now: c.now, Log: slog.New(slog.DiscardHandler),
		Find: func(trust string) (string, bool) { return "https://logo.example/" + trust, trust != "none" },
	})
}

func ask(l *Logos, method, trust string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/id/login/logo/"+trust, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	l.ServeHTTP(w, r)
	return w
}

func TestALogoIsServedAsAPictureAndNothingElse(t *testing.T) {
	t.Parallel()
	s, c := &site{body: pngOf(t, 64, 64)}, &clock{}
	l := newLogos(s, c)
	w := ask(l, http.MethodGet, "head")
	for name, want := range map[string]string{
		"Content-Type": "image/png", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
		"Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "public, max-age=86400",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if w.Code != http.StatusOK || !bytes.Equal(w.Body.Bytes(), s.body) {
		t.Errorf("%d, %d bytes", w.Code, w.Body.Len())
	}
	if again := ask(l, http.MethodGet, "head", "If-None-Match", w.Header().Get("ETag")); again.Code != http.StatusNotModified || again.Body.Len() > 0 {
		t.Errorf("not modified: %d", again.Code)
	}
	if head := ask(l, http.MethodHead, "head"); head.Code != http.StatusOK || head.Body.Len() > 0 {
		t.Errorf("HEAD: %d", head.Code)
	}
	if post := ask(l, http.MethodPost, "head"); post.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", post.Code)
	}
	if none := ask(l, http.MethodGet, "none"); none.Code != http.StatusNotFound || none.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("a trust without a logo: %d", none.Code)
	}
	if s.asked.Load() != 1 {
		t.Errorf("fetched %d times", s.asked.Load())
	}
}

func TestALogoThatFailsIsAskedForAgainLater(t *testing.T) {
	t.Parallel()
	s, c := &site{err: errors.New("down")}, &clock{}
	l := newLogos(s, c)
	for range 3 {
		if w := ask(l, http.MethodGet, "head"); w.Code != http.StatusNotFound {
			t.Errorf("%d", w.Code)
		}
	}
	office := Office{ID: "head", Logo: "https://logo.example/head"}
	if l.URL(office) != "" || s.asked.Load() != 1 {
		t.Errorf("shown %q, fetched %d times", l.URL(office), s.asked.Load())
	}
	s.answer(pngOf(t, 8, 8), nil)
	c.advance(logoRetry + time.Second)
	l.URL(office) // begins the fetch
	settle(l)
	if got := l.URL(office); got != "/id/login/logo/head" {
		t.Errorf("shown %q", got)
	}
	s.answer(nil, errors.New("down"))
	c.advance(logoFresh + time.Second)
	l.URL(office)
	settle(l)
	if got := l.URL(office); got == "" || s.asked.Load() != 3 {
		t.Errorf("a good logo is gone because its site is down: %q, fetched %d times", got, s.asked.Load())
	}
	c.advance(logoRetry + time.Second)
	l.URL(office)
	settle(l)
	if s.asked.Load() != 4 {
		t.Errorf("fetched %d times", s.asked.Load())
	}
}

// settle waits until nothing is being fetched.
func settle(l *Logos) {
	for {
		l.mu.Lock()
		var one chan struct{}
		for _, done := range l.flying {
			one = done
		}
		l.mu.Unlock()
		if one == nil {
			return
		}
		<-one
	}
}

func TestAPageNeitherWaitsForALogoNorFetchesItTwice(t *testing.T) {
	t.Parallel()
	s, c := &site{body: pngOf(t, 8, 8), release: make(chan struct{})}, &clock{}
	l := newLogos(s, c)
	office := Office{ID: "head", Logo: "https://logo.example/head"}
	for range 20 {
		if got := l.URL(office); got != "" {
			t.Errorf("shown before it is there: %q", got)
		}
	}
	if l.URL(Office{ID: "plain"}) != "" {
		t.Error("an office without a logo has one")
	}
	close(s.release)
	settle(l)
	if got := l.URL(office); got != "/id/login/logo/head" || s.asked.Load() != 1 {
		t.Errorf("%q, fetched %d times", got, s.asked.Load())
	}
}

func TestStrangersCannotMakeTheBrokerFetchALot(t *testing.T) {
	t.Parallel()
	s, c := &site{body: pngOf(t, 8, 8), release: make(chan struct{})}, &clock{}
	l := newLogos(s, c)
	for i := range 100 {
		l.URL(Office{ID: "x", Logo: "https://logo.example/" + strings.Repeat("x", i+1)})
	}
	if w := ask(l, http.MethodGet, "another"); w.Code != http.StatusNotFound { // at once, although every slot is taken
		t.Errorf("%d", w.Code)
	}
	close(s.release)
	settle(l)
	if got := s.asked.Load(); got != logosAtOnce {
		t.Errorf("%d fetches at once, want %d", got, logosAtOnce)
	}
}

func TestALogoThatPanicsIsALogoThatFails(t *testing.T) {
	t.Parallel()
	s, c := &site{panics: true}, &clock{}
	l := newLogos(s, c)
	if w := ask(l, http.MethodGet, "head"); w.Code != http.StatusNotFound {
		t.Errorf("%d", w.Code)
	}
	settle(l)
}

func TestThePickerShowsALogoFromHereOnly(t *testing.T) {
	t.Parallel()
	s, c := &site{body: pngOf(t, 8, 8)}, &clock{}
	p := newPages(t)
	p.Logos = newLogos(s, c)
	x := NewIndex([]Office{{ID: "head", Name: "Head Office", Logo: "https://logo.example/head"}, {ID: "west", Name: "Western Region"}})
	body := func() string {
		w := httptest.NewRecorder()
		p.Write(w, httptest.NewRequest(http.MethodGet, "/login", nil), view(x.Rank(Query{})))
		return w.Body.String()
	}
	if first := body(); strings.Contains(first, "/login/logo/") || !strings.Contains(first, ">HO</span>") {
		t.Error("no initials while the logo is fetched")
	}
	settle(p.Logos)
	second := body()
	if !strings.Contains(second, `<img src="/id/login/logo/head" alt=""`) || !strings.Contains(second, ">WR</span>") || strings.Contains(second, "logo.example") {
		t.Errorf("%s", second)
	}
}

func FuzzImage(f *testing.F) {
	f.Add(webpOf("VP8X", 8, 8), "image/webp")
	f.Add([]byte("\x89PNG\r\n\x1a\n"), "image/png")
	f.Fuzz(func(t *testing.T, body []byte, kind string) {
		if img, err := newImage(body, kind); err == nil && img.kind != "image/png" && img.kind != "image/jpeg" && img.kind != "image/webp" {
			t.Errorf("kind %q", img.kind)
		}
	})
}
