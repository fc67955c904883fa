"""Texts of refused files, HL3xxx."""

from __future__ import annotations

from typing import Final

__all__ = ["TEXTS"]


TEXTS: Final[dict[str, tuple[str, str]]] = {
    "HL3001": (
        "文件 {file} 的合计行与明细不符：{field} 合计行为 {stated}，明细为 {found}；整份文件未导入，请核对后重新导出",
        (
            "the trailer of {file} disagrees with its rows: {field} is {stated} in the trailer, {found} in the rows; "
            "nothing was applied, check the export and send it again"
        ),
    ),
    "HL3002": (
        "文件 {file} 缺少合计行，可能未导出完整；整份文件未导入，请重新导出",
        "{file} has no trailer and may be cut short; nothing was applied, export it again",
    ),
    "HL3003": (
        "文件 {file} 缺少列：{columns}；整份文件未导入，请按约定的表头重新导出",
        "{file} lacks the columns {columns}; nothing was applied, export it with the header that was agreed on",
    ),
    "HL3004": (
        "文件 {file} 的列重复：{columns}；整份文件未导入，请每列只保留一个",
        "{file} repeats the columns {columns}; nothing was applied, keep each of them once",
    ),
    "HL3005": (
        "文件名 {file} 不符合约定，应形如 {example}",
        "the file name {file} is not as agreed; expected one like {example}",
    ),
    "HL3006": ("文件 {file} 为空，请重新导出", "{file} is empty: export it again"),
    "HL3007": (
        "文件 {file} 的编码无法识别（应为 {encodings}），请按其中之一重新导出",
        "the encoding of {file} is not recognised: export it again in one of {encodings}",
    ),
    "HL3008": ("文件 {file} 属于机构 {found}，不是 {expected}", "{file} belongs to {found}, not to {expected}"),
    "HL3009": (
        "文件 {file} 第 {line} 行：合计行之后还有数据；整份文件未导入，请核对后重新导出",
        "{file}, line {line}: rows follow the trailer; nothing was applied, check the export and send it again",
    ),
    "HL3010": ("文件 {file} 无法读取：{what}", "{file} cannot be read: {what}"),
    "HL3011": (
        "文件 {file} 第 {line} 行：合计行 {field} 不是数字；整份文件未导入，请核对后重新导出",
        (
            "{file}, line {line}: {field} in the trailer is not a number; "
            "nothing was applied, check the export and send it again"
        ),
    ),
    "HL3012": (
        "提交 {submission} 的明细与清单合计不符：{field} 清单为 {stated}，明细为 {found}；整份未导入",
        "submission {submission}: {field} is {stated} in the manifest, {found} in the rows; nothing was applied",
    ),
    "HL3013": (
        "提交 {submission} 中 {field} 重复；整份未导入",
        "submission {submission} repeats a {field}; nothing was applied",
    ),
    "HL3014": ("适配器 {adapter} 不接收文件 {file}", "adapter {adapter} does not take the file {file}"),
    "HL3015": ("文件 {file} 的日期 {as_of} 晚于今天", "{file} is dated {as_of}, after today"),
    "HL3016": (
        "文件 {file} 第 {line} 行超过 {limit} 字节，不是按行排列的文本",
        "{file}, line {line} exceeds {limit} bytes; this is not text in rows",
    ),
    "HL3017": (
        "文件 {file} 第 {line} 行：表头引号不成对，无法读取",
        "{file}, line {line}: the header's quotes are unbalanced; it cannot be read",
    ),
    "HL3018": (
        "文件 {file} 的表头有 {found} 列，上限为 {limit} 列",
        "the header of {file} has {found} columns; at most {limit} are allowed",
    ),
    "HL3019": (
        (
            "文件 {file} 第 1 行不是文件头（应为 240 字节，依次为 H、机构代码、截止日期、序号）；"
            "整份文件未导入，请按约定格式重新导出"
        ),
        (
            "line 1 of {file} is no header (240 bytes: H, bank, as-of date, sequence number); "
            "nothing was applied, export it again in the agreed layout"
        ),
    ),
    "HL3020": (
        (
            "文件 {file} 第 1 行：{field} 在文件头中为 {found}，在文件名中为 {expected}；"
            "整份文件未导入，请核对文件是否改名或错发"
        ),
        (
            "{file}, line 1: {field} is {found} in the header, {expected} in the file's name; "
            "nothing was applied, see whether it was renamed or is another file"
        ),
    ),
    "HL3021": (
        (
            "文件 {file} 第 {line} 行：校验码为 {stated}，按明细计算为 {found}；"
            "文件可能在传送中损坏，整份文件未导入，请重新传送"
        ),
        (
            "{file}, line {line}: the check sum is {stated}, that of the details {found}; the file may have been "
            "damaged on its way, nothing was applied: send it again"
        ),
    ),
    "HL3022": (
        "文件 {file} 第 {line} 行：合计行应为 {expected} 字节，实为 {found} 字节，可能未传送完整；整份文件未导入",
        (
            "{file}, line {line}: the trailer has {found} bytes instead of {expected} and may be cut short; "
            "nothing was applied"
        ),
    ),
    "HL3023": (
        "文件 {file} 第 {line} 行：合计行的校验码不是 8 位十六进制数；整份文件未导入，请重新导出",
        (
            "{file}, line {line}: the trailer's check sum is not eight hexadecimal digits; "
            "nothing was applied, export it again"
        ),
    ),
    "HL3024": (
        "文件 {file} 未写出：{field} 超过约定的 {width} 字节；请检查机构代码与文件序号",
        "{file} was not written: {field} exceeds the {width} bytes agreed on; check member code and file number",
    ),
    "HL3025": (
        "文件 {file} 缺少工作表 {sheet}（现有：{found}）；整份文件未导入，请补齐后重新发送",
        "{file} lacks the sheet {sheet} (it has {found}); nothing was applied, add it and send the file again",
    ),
    "HL3026": (
        (
            "文件 {file} 中的工作表 {found} 都可能是 {sheet}；整份文件未导入，"
            "请只保留应导入的一张并命名为 {sheet}，或把各张的明细并入其中"
        ),
        (
            "in {file} each of {found} could be {sheet}; nothing was applied: keep only the one that is meant "
            "and call it {sheet}, or move the rows of all into it"
        ),
    ),
    "HL3027": (
        "文件 {file} 的金额单位为{found}，应在表头上方写明“单位:万元”或“单位:元”；整份文件未导入",
        "the unit of {file} is {found}; above its header must stand 单位:万元 or 单位:元; nothing was applied",
    ),
    "HL3028": (
        "文件 {file} 的截止日期为{found}，文件名要求的是 {expected}；整份文件未导入，请核对后重新导出",
        "the date in {file} is {found}, its name calls for {expected}; nothing was applied, check the export",
    ),
    "HL3029": (
        "文件 {file} 的合计行：{what}；整份文件未导入，请重新计算并保存后再发送",
        "the row of totals of {file}: {what}; nothing was applied, recalculate, save and send it again",
    ),
    "HL3030": (
        "文件 {file} 含有文档类型声明（DOCTYPE），为防外部实体和实体膨胀不予读取；整份未导入，请去掉该声明后重新报送",
        (
            "{file} has a document type declaration; it is not read, because of external entities and entity "
            "expansion, and nothing was applied: send it again without the declaration"
        ),
    ),
    "HL3031": (
        "文件 {file} 第 {line} 行无法按 XML 读取：{what}；整份文件未导入，请重新生成后报送",
        "{file}, line {line}, cannot be read as XML: {what}; nothing was applied, make the file anew and send it again",
    ),
    "HL3032": (
        "文件 {file} 的 {item} 不符合约定：{what}；整份文件未导入，请更正后重新报送",
        "{file}: {item} is not as agreed: {what}; nothing was applied, mend it and send the file again",
    ),
    "HL3033": (
        "报文元素 {element} 未被接收：{errors}；请更正后重新报送",
        "the element {element} was not taken: {errors}; mend it and send it again",
    ),
    "HL3034": (
        "文件 {file} 的摘要（Head/Digest）与正文不符，内容可能被改动或传输损坏；整份文件未导入，请重新报送原文件",
        (
            "the digest of {file} (Head/Digest) disagrees with its Body, which may have been altered or damaged; "
            "nothing was applied, send the original file again"
        ),
    ),
    "HL3035": (
        "文件 {file} 的 Head/Count 为 {stated}，正文有 {found} 个元素；整份文件未导入，请核对后重新生成",
        "{file}: Head/Count is {stated}, the Body has {found} elements; nothing was applied, check and make it anew",
    ),
    "HL3036": (
        "文件 {file} 的 Head/TotalAmount 为 {stated}，正文保险费与赔付金额合计为 {found}；整份未导入，请核对后重新生成",
        (
            "{file}: Head/TotalAmount is {stated}, premiums and claims in the Body add up to {found}; "
            "nothing was applied, check and make it anew"
        ),
    ),
    "HL3037": (
        "第 {line} 行记录的证件号码没有遮盖，不得公布；文件 {file} 未写出，请在来源处遮盖后重新发送",
        (
            "record {line} has a number that is not masked and must not be published; {file} was not written, "
            "mask it at its source"
        ),
    ),
    "HL3039": (
        "文件 {file} 无法写出：{what}；没有留下不完整的文件，请检查磁盘空间和目录权限后重试",
        "{file} cannot be written: {what}; no part of it was left: check space and permissions, then try again",
    ),
    "HL3040": (
        "{as_of} 的{kind}已收到第 {number} 号文件，但第 {missing} 号文件未收到；请补报",
        "file {number} of {as_of} ({kind}) has come, but not {missing}: send what is missing",
    ),
    "HL3041": (
        (
            "{as_of} 的{kind}第 {number} 号文件与先前的 {earlier} 编号相同而内容不同，"
            "两份均已入账，同一笔以后到的为准；请核对编号"
        ),
        (
            "file {number} of {as_of} ({kind}) bears the number of {earlier} over other contents; both were applied, "
            "and of the same record the later counts: check the numbering"
        ),
    ),
    "HL3042": (
        (
            "文件 {file} 第 {line} 行是{mark}行，会被当作明细重复计入合计；整份文件未导入，"
            "请删去表中所有{mark}行（末尾的合计行保留）后重新发送"
        ),
        (
            "{file}, row {line}, holds sub-totals ({mark}) and would be counted as data; nothing was applied: "
            "remove all such rows but the last row of totals and send the file again"
        ),
    ),
    "HL3050": (
        "文件 {file} 的内容是{found}，不是约定的文本；整份文件未导入，{remedy}",
        "{file} holds {found}, not the text that was agreed on; nothing was applied: {remedy}",
    ),
    "HL3051": (
        (
            "文件 {file} 第 {line} 行以{separator}分隔（读到 {found} 列：{columns}），应以英文逗号分隔；"
            "整份文件未导入，请另存为“CSV（逗号分隔）”后重新报送"
        ),
        (
            "{file}, line {line}, is parted by {separator} ({found} columns: {columns}) where commas were agreed on; "
            "nothing was applied, save it as CSV and send it again"
        ),
    ),
    "HL3052": (
        (
            "文件 {file} 第 {line} 行在表头（第 {header} 行）之上，却像是数据；整份文件未导入，"
            "请把表头放在首行，其上只留标题"
        ),
        (
            "{file}, line {line}, stands above the header (line {header}) and may be data; nothing was applied, "
            "put the header first, with nothing but a title above it"
        ),
    ),
    "HL3060": (
        "该记录不是 {member} 的：institution 须为收件机构本身，或非同类的已登记机构；请核对该项与 --for",
        "the record is not for {member}: its institution is another of that kind or unknown; check it and --for",
    ),
    "HL3061": (
        "文件 {file} 的记录有 {count} 处错误，一条也没有下发；请按所列行号和字段改正后再下发",
        "{count} faults in the records of {file}; nothing was issued, mend the lines named and issue it again",
    ),
    "HL3062": (
        "不是一个完整的 JSON 对象（一行一条，UTF-8，同一项不得出现两次）",
        "not one whole JSON object (one a line, UTF-8, no field twice)",
    ),
    "HL3063": ("契约中没有这一项；请删去或改正其名称", "the contract has no such field; remove it or correct its name"),
    "HL3064": (
        "机构 {member} 的类型是 {kind}，不接收 {type}；谁可接收什么见 contracts/access.toml",
        "member {member} is of kind {kind} and may not receive {type}; contracts/access.toml says who may",
    ),
    "HL3065": (
        "文件 {file} 作为 JSON 文档超过 {limit} 字节；请改为一行一条记录的 NDJSON",
        "{file} has more than {limit} bytes as one JSON document; write it as NDJSON, one record a line",
    ),
    "HL3066": (
        (
            "上期在册的 {stood} 条中有 {missing} 条不在本文件中，超过 {percent}%：像是不完整的文件，未入账；"
            "请补全后重报。"
            "确实少了这么多的，用 huilian push … --allow-missing {missing} 报送（本次允许缺少 {allowed} 条）"
        ),
        (
            "{missing} of the {stood} records that stood are not in this file, more than {percent} %: it looks "
            "incomplete and was not taken; send it whole, or with --allow-missing {missing} if so many are gone "
            "(allowed here: {allowed})"
        ),
    ),
    "HL3067": (
        (
            "文件 {file} 有未约定的列：{columns}；请在 huilian.toml 的 [adapters.{adapter}.indicators] 或"
            " [adapters.{adapter}.exclusions] 中写明它的代码，不是指标的请删去该列"
        ),
        (
            "file {file} has columns that nobody agreed on: {columns}; say in huilian.toml under"
            " [adapters.{adapter}.indicators] or [adapters.{adapter}.exclusions] what each stands for, or remove it"
        ),
    ),
    "HL3068": (
        (
            "huilian.toml 的 [adapters.{adapter}.indicators] 或 [adapters.{adapter}.exclusions] 有误：{columns}；"
            "代码为小写字母开头的字母、数字和下划线，一列只能有一个含义"
        ),
        (
            "[adapters.{adapter}.indicators] or [adapters.{adapter}.exclusions] in huilian.toml is wrong: {columns};"
            " a code is small letters, digits and underscores, a letter first, and a column means one thing"
        ),
    ),
    "HL3069": (
        "这一区划的贷款已由申请办理产生确认名单（huilian applications），不再以文件下发",
        "loans of this region are confirmed by their applications (huilian applications), and by no file any more",
    ),
    "HL3110": (
        "文件 {file} 没有一行填写了内容：申请或意见都是空的；填写后重新发送",
        "no row of {file} says anything: neither an application nor an opinion is filled in; send it again when one is",
    ),
    "HL3111": (
        (
            "文件 {file} 有未约定的列：{columns}；请在 huilian.toml 的 [adapters.{adapter}.columns] 中写明它是哪一列，"
            "如“借款用途”对应“贷款用途”，与申请无关的请删去该列"
        ),
        (
            "file {file} has columns that nobody agreed on: {columns}; say in huilian.toml under"
            " [adapters.{adapter}.columns] which column each is, or remove it"
        ),
    ),
    "HL3112": (
        "huilian.toml 的 [adapters.{adapter}.{setting}] 有误：{columns}；{expected}",
        "[adapters.{adapter}.{setting}] in huilian.toml is wrong: {columns}; {expected}",
    ),
}
