package federation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"

	"apostille/upstream/fetch"
)

// errSame: the aggregate is the one that was imported last.
var errSame = errors.New("not changed")

// download is an aggregate to read.
type download struct {
	file          *os.File
	etag, changed string // what tells it from the next one
}

// open gets the aggregate of a source: that of a URL into a file without name in dir. last may be nil.
func (m *Federations) open(ctx context.Context, src *Source, last *Header) (*download, error) {
	if src.File != "" {
		return openFile(src.File, last)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, src.URL, nil)
	if err != nil {
		return nil, errors.New("not a URL")
	}
	r.Header.Set("Accept", "application/samlmetadata+xml, application/xml, text/xml")
	if last != nil && last.ETag != "" {
		r.Header.Set("If-None-Match", last.ETag)
	}
	if last != nil && last.Changed != "" {
		r.Header.Set("If-Modified-Since", last.Changed)
	}
	resp, err := m.cfg.Client(src.Roots, true).Do(r)
	if err != nil {
		return nil, &fetch.Error{URL: src.URL, What: fetch.Describe(err), Err: err}
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotModified && last != nil:
		return nil, errSame
	case resp.StatusCode != http.StatusOK:
		return nil, &fetch.Error{URL: src.URL, What: (&fetch.StatusError{Code: resp.StatusCode}).Error()}
	}
	f, err := m.scratch()
	if err != nil {
		return nil, err
	}
	if _, err = io.Copy(f, resp.Body); err == nil {
		_, err = f.Seek(0, io.SeekStart)
	} else {
		err = &fetch.Error{URL: src.URL, What: fetch.Describe(err), Err: err}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &download{file: f, etag: short(resp.Header.Get("ETag")), changed: short(resp.Header.Get("Last-Modified"))}, nil
}

// openFile opens an aggregate on disk. It is the same if it was not written since.
func openFile(path string, last *Header) (*download, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a file", path)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	mark := strconv.FormatInt(info.ModTime().UnixNano(), 36) + "-" + strconv.FormatInt(info.Size(), 36)
	if last != nil && last.ETag == mark {
		return nil, errors.Join(errSame, f.Close())
	}
	return &download{file: f, etag: mark}, nil
}

// scratch is a file that nobody else sees and that is gone when it is closed.
func (m *Federations) scratch() (*os.File, error) {
	f, err := os.CreateTemp(m.cfg.Dir, ".federation-*")
	if err != nil {
		return nil, err
	}
	return f, os.Remove(f.Name())
}

// short drops what is no sane header value.
func short(s string) string {
	if len(s) > 256 {
		return ""
	}
	return s
}
