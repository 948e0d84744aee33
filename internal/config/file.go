package config

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"vidimus/internal/config/document"
)

// Load reads the file of --config: a YAML document whose keys are the long names of flags,
// with hyphens or underscores. known are the names that may stand in it, in their form with
// hyphens; Names has those of serve. The result holds the values as they would stand on
// the command line, lists joined by commas. The error is a document.Error with every mistake
// of the file, or says why it cannot be read.
func Load(path string, known []string) (map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, document.MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	return Parse(path, data, known)
}

// Parse is Load for a file that is already read. name is what mistakes call it.
func Parse(name string, data []byte, known []string) (map[string]string, error) {
	d, err := document.Parse(name, data)
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	d.Root().Entries(func(key string, v document.Value) {
		flag := strings.ReplaceAll(key, "_", "-")
		_, twice := values[flag]
		switch {
		case !slices.Contains(known, flag):
			v.Expect("this key is not known; one of " + strings.Join(slices.Sorted(slices.Values(known)), ", ") + " is expected")
		case twice:
			v.Expect("every key is expected only once, with hyphens or with underscores")
		default:
			values[flag] = scalarOrList(v)
		}
	})
	if err := d.Err(); err != nil {
		return nil, err
	}
	return values, nil
}

// scalarOrList returns the value as it would stand on the command line.
func scalarOrList(v document.Value) string {
	if !v.IsList() {
		s, _ := v.Scalar()
		return s
	}
	var parts []string
	v.Each(func(_ int, v document.Value) {
		s, ok := v.Scalar()
		if ok && strings.Contains(s, ",") {
			v.Expect("an entry without a comma is expected")
		}
		parts = append(parts, s)
	})
	return strings.Join(parts, ",")
}
