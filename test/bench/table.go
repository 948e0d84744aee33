package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// table is what is printed at the end.
type table struct{ rows [][5]string }

// row is one figure.
type row struct {
	what, value, aim string
	cpu              share
	note             string
}

func (t *table) add(r row) {
	cpu := "-"
	if r.cpu.known {
		cpu = r.cpu.String()
	}
	t.rows = append(t.rows, [5]string{r.what, r.value, r.aim, cpu, r.note})
}

func (t *table) print(w io.Writer) error {
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(tab, "WHAT\tREACHED\tAIM\tCPU server/bench/rest\tNOTE")
	for _, r := range t.rows {
		_, _ = fmt.Fprintln(tab, strings.Join(r[:], "\t"))
	}
	return tab.Flush()
}

// perSecond writes a rate.
func perSecond(rate float64) string { return fmt.Sprintf("%.0f /s", rate) }

// milliseconds writes a duration.
func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

// median returns the middle one by that measure.
func median[T any](all []T, measure func(T) float64) T {
	slices.SortFunc(all, func(a, b T) int {
		switch d := measure(a) - measure(b); {
		case d < 0:
			return -1
		case d > 0:
			return 1
		}
		return 0
	})
	return all[len(all)/2]
}

// quantile of sorted durations.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
