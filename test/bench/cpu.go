package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ticks is how many units /proc counts in a second, on every Linux that Go runs on.
const ticks = 100

// moment is how much processor time was used up to then.
type moment struct {
	at                  time.Time
	server, self, other time.Duration // other: the whole machine but the two
}

// share is which part of all cores went where between two moments.
type share struct {
	known               bool
	server, self, other float64
}

func (s share) String() string {
	return fmt.Sprintf("%2.0f/%2.0f/%2.0f %%", 100*s.server, 100*s.self, 100*s.other)
}

// look reads the clocks; pid is the server's, zero: none.
func look(pid int) moment {
	m := moment{at: time.Now(), server: processTime(pid)}
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) == nil {
		m.self = time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	m.other = machineTime() - m.server - m.self
	return m
}

func (m moment) since(before moment) share {
	all := float64(m.at.Sub(before.at)) * float64(runtime.NumCPU())
	part := func(d time.Duration) float64 { return max(0, float64(d)/all) }
	return share{known: true, server: part(m.server - before.server), self: part(m.self - before.self), other: part(m.other - before.other)}
}

// processTime is what a process has used, in user and kernel mode.
func processTime(pid int) time.Duration {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	// The name, in parentheses, may hold spaces.
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	return inTicks(fields[11]) + inTicks(fields[12])
}

// machineTime is what everything has used: all but idle and waiting.
func machineTime() time.Duration {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), "\n")
	var sum time.Duration
	for i, f := range strings.Fields(first) {
		const idle, waiting, guest = 4, 5, 9
		if i == 0 || i == idle || i == waiting || i >= guest {
			continue
		}
		sum += inTicks(f)
	}
	return sum
}

func inTicks(s string) time.Duration {
	n, _ := strconv.ParseInt(s, 10, 64)
	return time.Duration(n) * time.Second / ticks
}

// resident is the memory of a process in MB, and its peak.
func resident(pid int) (now, peak float64) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		kb, _ := strconv.ParseFloat(fields[1], 64)
		switch fields[0] {
		case "VmRSS:":
			now = kb / 1024
		case "VmHWM:":
			peak = kb / 1024
		}
	}
	return now, peak
}

// machine says what this runs on.
func machine() string {
	model := "unknown processor"
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%d cores of %s, %s, %s", runtime.NumCPU(), model, runtime.Version(), loadAverage())
}

func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	fields := strings.Fields(string(text))
	if err != nil || len(fields) == 0 {
		return "load average unknown"
	}
	return "load average " + fields[0]
}
