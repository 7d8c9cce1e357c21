package config

import (
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"apostille/upstream/saml"
)

// loader is one Load under way.
type loader struct {
	sources  []*source
	files    map[string]bool // absolute
	folders  []string        // trust.d folders, absolute
	origin   map[string]*source
	fields   map[reflect.Type]map[string][]int
	offices  map[*trustDoc]*saml.Metadata // of metadata files
	settled  map[string]bool              // paths whose fault shows under another path
	doc      document
	issues   Issues
	warnings Issues
	broken   bool // a file could not be read or parsed, so names it defines may seem unknown
}

// Load reads the main files and the trust.d/*.toml beside each, reads the files that they name, and
// compiles the policy. Several main files add up: the same key or ID in two files is refused. The error
// is Issues (all of them, sorted by file and line) or the I/O error of a main file.
func Load(paths ...string) (*Config, error) {
	if len(paths) == 0 {
		return nil, fmt.Errorf("no configuration file named")
	}
	l := &loader{files: map[string]bool{}, settled: map[string]bool{}, origin: map[string]*source{}, fields: map[reflect.Type]map[string][]int{}, offices: map[*trustDoc]*saml.Metadata{}}
	if err := l.readSources(paths); err != nil {
		return nil, err
	}
	l.decode()
	c := l.build()
	if len(l.issues) > 0 {
		l.issues.sort()
		return nil, l.issues
	}
	l.warnings.sort()
	c.Warnings = l.warnings
	c.Files = slices.Sorted(maps.Keys(l.files))
	c.Folders = l.folders
	return c, nil
}

// decode fills the document from every source.
func (l *loader) decode() {
	table := keyTable()
	root := reflect.ValueOf(&l.doc).Elem()
	for _, s := range l.sources {
		l.keepPolicy(table, s)
		l.claim(s)
		d := decoder{loader: l, source: s}
		d.keys(table, s.tree, root, "")
	}
	if _, ok := l.origin["issuer"]; !ok && !l.broken {
		l.fault("issuer", "missing", `write issuer = "https://…", the address that clients and APIs know this broker by`)
	}
}

// keepPolicy drops from a trust.d file what belongs to a main file.
func (l *loader) keepPolicy(table []key, s *source) {
	if !s.policy {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(s.tree)) {
		if k, known := find(table, name); known && !k.Policy {
			l.faultIn(s, name, "not allowed in "+policyFolder+", where files hold [trust.ID], [api.ID] and [client.ID] only", "move it to the main file")
			delete(s.tree, name)
		}
	}
}

// claim notes which source says what, and drops what another source said already.
func (l *loader) claim(s *source) {
	for _, name := range slices.Sorted(maps.Keys(s.tree)) {
		section, ok := s.tree[name].(map[string]any)
		if !ok {
			if !l.claimed(s, name) {
				delete(s.tree, name)
			}
			continue
		}
		for _, sub := range slices.Sorted(maps.Keys(section)) {
			if !l.claimed(s, joinPath(name, sub)) {
				delete(section, sub)
			}
		}
	}
}

func (l *loader) claimed(s *source, path string) bool {
	first, taken := l.origin[path]
	if taken {
		l.faultIn(s, path, fmt.Sprintf("already stands in %s line %d", first.name, first.line(path)), "keep one of the two")
		return false
	}
	l.origin[path] = s
	return true
}

// where finds the source that a path belongs to; the first main file if none says so.
func (l *loader) where(path string) *source {
	for p := path; p != ""; p = parentPath(p) {
		if s, ok := l.origin[p]; ok {
			return s
		}
	}
	return l.sources[0]
}

func (l *loader) fault(path, text, remedy string) {
	l.faultIn(l.where(path), path, text, remedy)
}

func (l *loader) faultIn(s *source, path, text, remedy string) {
	l.issues = append(l.issues, Issue{File: s.name, Line: s.line(path), Path: path, Text: text, Remedy: remedy})
}

func (l *loader) warn(path, text, remedy string) {
	s := l.where(path)
	l.warnings = append(l.warnings, Issue{File: s.name, Line: s.line(path), Path: path, Text: text, Remedy: remedy})
}

// faulty says whether a fault at path, inside it or instead of it was reported: what follows from it is noise then.
func (l *loader) faulty(path string) bool {
	return l.settled[path] || slices.ContainsFunc(l.issues, func(i Issue) bool {
		rest, inside := strings.CutPrefix(i.Path, path)
		return inside && (rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}

// resolve makes the path of a file absolute, relative to the file that names it.
func (l *loader) resolve(path, file string) string {
	if filepath.IsAbs(file) {
		return filepath.Clean(file)
	}
	return filepath.Join(l.where(path).dir, file)
}

// read reads a file that configuration names and notes it for reloads.
func (l *loader) read(path, file string) ([]byte, bool) {
	abs := l.resolve(path, file)
	l.files[abs] = true
	b, err := readFile(abs)
	if err != nil {
		l.fault(path, fmt.Sprintf("%s cannot be read: %s", abs, cause(err)), "relative paths start at the file that names them; the broker must be able to read it")
	}
	return b, err == nil
}
