package page

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed assets messages templates
var files embed.FS

// assetTypes are the only kinds of files that are served.
var assetTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
	".png": "image/png",
}

// asset is a file whose name holds the hash of its content: it may be kept for ever.
type asset struct {
	kind       string
	body, gzip []byte // gzip is nil if it would not be shorter
}

// assets are served at BASE/assets/NAME. Immutable.
type assets struct {
	byName map[string]*asset // hashed name
	hashed map[string]string // plain name → hashed name
}

var _ http.Handler = (*assets)(nil)

// readAssets takes what the folders have below assets/.
func readAssets(folders []fs.FS) (*assets, error) {
	a := &assets{byName: map[string]*asset{}, hashed: map[string]string{}}
	for _, folder := range folders {
		names, err := fs.Glob(folder, "assets/*")
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if err := a.add(folder, name); err != nil {
				return nil, err
			}
		}
	}
	return a, nil
}

func (a *assets) add(folder fs.FS, name string) error {
	plain := path.Base(name)
	ext := path.Ext(plain)
	kind, ok := assetTypes[ext]
	if !ok {
		return fmt.Errorf("asset %s: files of this kind are not served", name)
	}
	if _, twice := a.hashed[plain]; twice {
		return fmt.Errorf("asset %s exists twice", plain)
	}
	body, err := fs.ReadFile(folder, name)
	if err != nil {
		return fmt.Errorf("asset: %w", err)
	}
	sum := sha256.Sum256(body)
	hashed := strings.TrimSuffix(plain, ext) + "." + hex.EncodeToString(sum[:8]) + ext
	a.hashed[plain] = hashed
	a.byName[hashed] = &asset{kind: kind, body: body, gzip: compressed(body)}
	return nil
}

func compressed(body []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level exists
	_, _ = w.Write(body)                                  // a buffer takes everything
	_ = w.Close()
	if b.Len() >= len(body) {
		return nil
	}
	return b.Bytes()
}

// ServeHTTP answers for the last element of the path.
func (a *assets) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "GET only", http.StatusMethodNotAllowed)
		return
	}
	f, ok := a.byName[path.Base(req.URL.Path)]
	if !ok {
		http.NotFound(w, req)
		return
	}
	body := f.body
	h.Set("Vary", "Accept-Encoding")
	if f.gzip != nil && acceptsGzip(req) {
		h.Set("Content-Encoding", "gzip")
		body = f.gzip
	}
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if req.Method == http.MethodGet {
		_, _ = w.Write(body) // the browser went away: nothing is left to tell it
	}
}

// acceptsGzip says whether gzip is listed and not refused (RFC 9110 §12.5.3).
func acceptsGzip(req *http.Request) bool {
	for part := range strings.SplitSeq(req.Header.Get("Accept-Encoding"), ",") {
		coding, weight, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			q, ok := strings.CutPrefix(strings.ReplaceAll(weight, " ", ""), "q=")
			v, err := strconv.ParseFloat(q, 64)
			return !ok || err == nil && v > 0
		}
	}
	return false
}
