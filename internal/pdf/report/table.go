package report

// column is one column of a table. Its width is a share of the table's.
type column struct {
	title string
	width float64
	face  face
	size  float64
}

// row is one row: the text of each column, and whether it is marked as changed.
type row struct {
	cells  []string
	marked bool
}

const (
	cellPad   = 1.6 // beside the text
	rowPad    = 1.2 // above and below it
	textSize  = 8.5
	titleSize = 7.5
)

func step(size float64) float64 { return size * 0.46 }

// text is a column of ordinary text.
func textColumn(title string, width float64) column {
	return column{title: title, width: width, face: sans, size: textSize}
}

// table draws rows below their titles, which stand again on every page that it reaches. A
// row goes to the next page rather than being cut, unless it is longer than a page. Columns
// without any title have no title line.
func (s *sheet) table(columns []column, rows []row) {
	sum := 0.0
	for _, c := range columns {
		sum += c.width
	}
	for i := range columns {
		columns[i].width *= body / sum
	}
	s.titles(columns)
	for _, r := range rows {
		s.row(columns, r)
	}
}

func (s *sheet) titles(columns []column) {
	lines := make([][]string, len(columns))
	titled, most := false, 0
	for i, c := range columns {
		lines[i] = s.fonts.wrap(bold, titleSize, c.title, c.width-2*cellPad)
		titled, most = titled || c.title != "", max(most, len(lines[i]))
	}
	if !titled {
		return
	}
	height := float64(most)*step(titleSize) + 2*rowPad
	s.box(paper, left, s.y, body, height)
	x := left
	for i, c := range columns {
		for n, l := range lines[i] {
			s.text(bold, titleSize, soft, x+cellPad, s.y+rowPad+step(titleSize)*(float64(n)+0.8), l)
		}
		x += c.width
	}
	s.y += height
	s.line(rule, s.y)
}

// wrapped is a row whose cells are lines.
type wrapped struct {
	lines  [][]string
	faces  []face
	marked bool
}

// height is that of the first n lines of every cell.
func (w wrapped) height(columns []column, n int) float64 {
	height := 0.0
	for i, c := range columns {
		height = max(height, float64(min(n, len(w.lines[i])))*step(c.size))
	}
	return height + 2*rowPad
}

func (w wrapped) longest() int {
	most := 0
	for _, l := range w.lines {
		most = max(most, len(l))
	}
	return most
}

func (s *sheet) row(columns []column, r row) {
	w := wrapped{lines: make([][]string, len(columns)), faces: make([]face, len(columns)), marked: r.marked}
	for i, c := range columns {
		w.faces[i] = c.face
		if r.marked && i == 0 {
			w.faces[i] = bold
		}
		w.lines[i] = s.fonts.wrap(w.faces[i], c.size, s.clean(r.cells[i]), c.width-2*cellPad)
	}
	if height := w.height(columns, w.longest()); s.y+height > last && height < last-next-12 {
		s.newPage()
		s.titles(columns)
	}
	for w.longest() > 0 {
		n := w.longest()
		for n > 1 && s.y+w.height(columns, n) > last {
			n--
		}
		if s.y+w.height(columns, n) > last {
			s.newPage()
			s.titles(columns)
			continue
		}
		s.lines(columns, w, n)
		for i, l := range w.lines {
			w.lines[i] = l[min(n, len(l)):]
		}
	}
}

// lines draws the first n lines of every cell.
func (s *sheet) lines(columns []column, w wrapped, n int) {
	height := w.height(columns, n)
	if w.marked {
		s.box(tinted, left, s.y+0.1, body, height)
		s.box(amber, left, s.y+0.1, 0.8, height)
	}
	x := left
	for i, c := range columns {
		shade := ink
		if i == 0 && c.title == "" {
			shade = soft // the name of a fact
		}
		for k, l := range w.lines[i][:min(n, len(w.lines[i]))] {
			s.text(w.faces[i], c.size, shade, x+cellPad, s.y+rowPad+step(c.size)*(float64(k)+0.78), l)
		}
		x += c.width
	}
	s.y += height
	s.line(rule, s.y)
}
