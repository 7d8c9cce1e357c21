package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/BurntSushi/toml"
)

// maxFile bounds each file that is read, TOML and key material alike.
const maxFile = 1 << 20

// policyFolder stands beside a main file; each *.toml in it is one reviewed piece of policy.
const policyFolder = "trust.d"

// source is one TOML file.
type source struct {
	name   string // as people are told
	dir    string // absolute; relative paths in the file start here
	policy bool   // from trust.d
	text   string
	tree   map[string]any
	lines  lineIndex // made when the first fault asks for it
}

func (s *source) line(path string) int {
	if s.lines == nil {
		s.lines = indexLines(s.text)
	}
	return s.lines.find(path)
}

// readFile reads a regular file of at most maxFile bytes. A FIFO or device would block or never end.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &os.PathError{Op: "read", Path: path, Err: errors.New("not a regular file")}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = &os.PathError{Op: "read", Path: path, Err: fmt.Errorf("larger than %d bytes", maxFile)}
	}
	return b, err
}

// parse fills the tree, or says why the text is not TOML.
func (s *source) parse() *Issue {
	if line := nestingFault(s.text); line > 0 {
		return &Issue{File: s.name, Line: line, Text: fmt.Sprintf("nested deeper than %d levels", maxDepth), Remedy: "no key needs that; flatten it"}
	}
	err := decodeTOML(s.text, &s.tree)
	if err == nil {
		return nil
	}
	s.tree = nil
	issue := &Issue{File: s.name, Text: "not TOML: " + err.Error(), Remedy: "mend the syntax; the rest of this file was not checked"}
	var syntax toml.ParseError
	if errors.As(err, &syntax) {
		issue.Line, issue.Path, issue.Text = syntax.Position.Line, syntax.LastKey, "not TOML: "+syntax.Message
	}
	return issue
}

// decodeTOML keeps a panic of the library from ending the process: a reload must never do that.
func decodeTOML(text string, tree *map[string]any) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("the parser gave up on it")
		}
	}()
	_, err = toml.Decode(text, tree)
	return err
}

// readSources reads main files and the policy folders beside them. The error is that of a main file;
// whatever ails the others is an issue.
func (l *loader) readSources(paths []string) error {
	for _, path := range paths {
		if err := l.readMain(path); err != nil {
			return err
		}
	}
	for _, path := range paths {
		l.readFolder(filepath.Join(filepath.Dir(path), policyFolder))
	}
	return nil
}

func (l *loader) readMain(path string) error {
	abs, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if l.files[abs] {
		return nil
	}
	b, err := readFile(abs)
	if err != nil {
		return err
	}
	s := &source{name: path, dir: filepath.Dir(abs), text: string(b)}
	l.add(s, abs, s.parse())
	return nil
}

func (l *loader) readFolder(folder string) {
	abs, err := filepath.Abs(folder)
	if slices.Contains(l.folders, abs) {
		return
	}
	l.folders = append(l.folders, abs)
	entries, readErr := os.ReadDir(abs)
	if errors.Is(readErr, os.ErrNotExist) {
		return
	}
	if err = errors.Join(err, readErr); err != nil {
		l.broken = true
		l.issues = append(l.issues, *unreadable(folder, err))
		return
	}
	var found []*source
	for _, entry := range entries {
		if name := entry.Name(); filepath.Ext(name) == ".toml" && !strings.HasPrefix(name, ".") {
			found = append(found, &source{name: filepath.Join(folder, name), dir: abs, policy: true})
		}
	}
	issues := parseAll(found)
	for i, s := range found {
		l.add(s, filepath.Join(abs, filepath.Base(s.name)), issues[i])
	}
}

// parseAll reads and parses policy files on every processor: there may be thousands, and a start waits.
func parseAll(found []*source) []*Issue {
	issues := make([]*Issue, len(found))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(found)) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(found)); i = next.Add(1) - 1 {
				issues[i] = found[i].read()
			}
		})
	}
	workers.Wait()
	return issues
}

// read fills the source from its file.
func (s *source) read() *Issue {
	b, err := readFile(filepath.Join(s.dir, filepath.Base(s.name)))
	if err != nil {
		return unreadable(s.name, err)
	}
	s.text = string(b)
	return s.parse()
}

func (l *loader) add(s *source, abs string, issue *Issue) {
	l.files[abs] = true
	l.sources = append(l.sources, s)
	if issue != nil {
		l.broken = true
		l.issues = append(l.issues, *issue)
	}
}

func unreadable(name string, err error) *Issue {
	return &Issue{File: name, Text: "cannot be read: " + cause(err), Remedy: "make it readable for the broker, or move it away"}
}

// cause is what the system said, without the path that the issue names already.
func cause(err error) string {
	var pathError *os.PathError
	if errors.As(err, &pathError) {
		return pathError.Err.Error()
	}
	return err.Error()
}
