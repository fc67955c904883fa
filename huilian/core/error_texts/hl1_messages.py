"""Texts of refused messages, HL1xxx."""

from __future__ import annotations

from typing import Final

__all__ = ["TEXTS"]


TEXTS: Final[dict[str, tuple[str, str]]] = {
    "HL1001": ("签名与内容不符，报文可能被改动", "the signature does not match; the message may have been altered"),
    "HL1002": ("签名密钥 {kid} 未登记", "the signing key {kid} is not registered"),
    "HL1003": ("签名密钥 {kid} 在签名时间不在有效期内", "the signing key {kid} was not valid at the time of signing"),
    "HL1004": ("机构 {member} 无权发送 {type}", "member {member} may not send {type}"),
    "HL1005": ("不支持的报文类型或版本 {type} {dataschema}", "unknown message type or version {type} {dataschema}"),
    "HL1006": ("报文 {size} 字节，超过上限 {limit} 字节", "the message has {size} bytes; at most {limit} are allowed"),
    "HL1007": ("报文内容不是有效的 JSON（第 {line} 行）", "the payload is not valid JSON (line {line})"),
    "HL1008": ("报文编号 {message} 已用于另一份内容", "message id {message} was already used for other bytes"),
    "HL1009": ("报文封装无法读取：{what}", "the message envelope cannot be read: {what}"),
    "HL1010": (
        "报文第 {line} 行字段 {field} 不符合约定：{what}",
        "line {line}, field {field} breaks the contract: {what}",
    ),
    "HL1011": ("压缩内容无法解开", "the compressed payload cannot be expanded"),
    "HL1012": ("处理报文时出错：{what}", "handling the message failed: {what}"),
    "HL1013": ("机构 {member} 已停用", "member {member} is suspended"),
    "HL1014": ("报文多次投递失败，队列已放弃", "the broker gave the message up after repeated deliveries"),
    "HL1015": (
        "签名时间 {time} 比现在晚，超出允许的误差",
        "the time of signing {time} lies in the future beyond the allowed skew",
    ),
    "HL1016": ("机构 {member} 已退出，其签名不再有效", "member {member} has left; its signatures count no more"),
    "HL1019": (
        "机构 {member} 没有能读取 {dataschema} 的适配器；请在县平台登记该机构的适配器",
        "member {member} has no adapter that reads {dataschema}; enter its adapter at the county",
    ),
    "HL1020": ("报文内容未被接收：{what}", "the content is not taken: {what}"),
    "HL1021": (
        "台账所依据的 {base} 不是县平台最新的台账；请发送完整台账（惠联会自动重新发送）",
        "the county's newest ledger is not {base}, which this one is based on; send it whole (Huilian does by itself)",
    ),
    "HL1022": (
        "机构 {member} 今天已送满 {mib} MiB，未再接收；文件请留在待发区，明天再送，或请县里调高 daily_mib",
        "member {member} has used up its {mib} MiB of today: send the file tomorrow, or have daily_mib raised",
    ),
    "HL1023": (
        "报文被拒绝（{what}），且机构 {member} 待处理的被拒报文已满，未再保留；文件请留在待发区，待县里处理后再送",
        "refused ({what}) and not kept: too many of {member}'s wait at the county; keep the file, send it after that",
    ),
    "HL1025": (
        (
            "签名密钥 {kid} 已于 {ended} 失效，报文在其后 {days} 天以上才送达，不再接收；请用现用密钥重新签名报送"
            "（再次运行 huilian push，机构端会自动重签）"
        ),
        (
            "the signing key {kid} ended at {ended}; what comes more than {days} days later is not taken:"
            " have it sealed anew with the key in use (run huilian push again; an edge does it by itself)"
        ),
    ),
    "HL1026": (
        "签名密钥 {kid} 已于 {since} 在本机吊销，此后收到的报文一律不采信；请县里用现用密钥重新签发",
        (
            "the signing key {kid} was revoked here at {since}: nothing it sealed that comes since is believed;"
            " have the county seal it anew"
        ),
    ),
    "HL1027": (
        "报文中的平台密钥表不能采用：{what}",
        "the list of the platform's keys in the message is not taken: {what}",
    ),
    "HL1030": (
        (
            "提交 {submission} 已入账，此后同一天又报送了 {later}，以后报的为准；"
            "仍要以本文件为准的，请换一个提交编号重新报送（惠联会自动处理）"
        ),
        (
            "submission {submission} was taken, and {later} has taken its place since; "
            "to state the file again, send it under another name (Huilian does by itself)"
        ),
    ),
    "HL1031": (
        "机构 {member} 没有代码为 {person} 的人员；请县里用 huilian person add 登记",
        "member {member} has no person {person}; have the county enter her: huilian person add",
    ),
    "HL1032": (
        "机构 {member} 的人员 {person} 在 {date} 不在任期内",
        "the person {person} of member {member} does not act on {date}",
    ),
    "HL1033": (
        "机构 {member} 的人员 {person} 没有 {right} 权限",
        "the person {person} of member {member} has not the right to {right}",
    ),
    "HL1034": (
        "录入人不能审批本人录入的事项：{member} {person}",
        "who entered does not approve: {member} {person}",
    ),
    "HL1035": ("记录未被接收，原因：{what}", "the record is refused; reasons: {what}"),
    "HL1036": (
        "{type} 不能单条报送，只能整份报送（huilian push）",
        "a record of {type} does not travel alone: send the whole file (huilian push)",
    ),
    "HL1037": (
        "县里没有服务受理种类为 {kind} 的报送；请核对种类，或请县里安装受理它的服务",
        "no service of the county takes submissions of the kind {kind}; check it, or have the county install one",
    ),
    "HL1050": (
        "没有处于步骤 {step} 的评级；请查看 huilian feed ratings 后重新办理",
        "no rating stands at the step {step}; look at huilian feed ratings and take the step anew",
    ),
    "HL1051": (
        "所写户数 {stated} 与实际 {found} 不符；请核对名单后重新办理",
        "{stated} are stated, and {found} stand there; look at the list and take the step anew",
    ),
    "HL1052": ("机构 {member} 不能办理：{what}", "member {member} may not take this step: {what}"),
    "HL1053": (
        "评议小组 {members} 人中村民代表 {representatives} 人，低于政策要求的 {minimum}%；请调整后重新备案",
        (
            "of {members} members of the working group {representatives} represent villagers, under the policy's"
            " {minimum} %; file another group"
        ),
    ),
    "HL1054": (
        "区划 {region} 的评议小组及工作方案尚未备案；请先报送 rating_group",
        "no working group of the region {region} is filed; send rating_group first",
    ),
    "HL1055": (
        "公示时间不足，末日应不早于 {last_day}",
        "the posting is too short: its last day is {last_day} at the earliest",
    ),
    "HL1056": (
        "{borrower_no} 的评级在 {date} 不在公示期内，不能提出异议",
        "the rating of {borrower_no} is not posted on {date}: nobody can object to it",
    ),
    "HL1057": ("没有编号为 {objection_no} 的异议", "there is no objection {objection_no}"),
    "HL1058": (
        "{borrower_no} 没有有效的评级，不能授信",
        "{borrower_no} has no rating in force: no line can be set",
    ),
    "HL1059": (
        "编号 {number} 已用于内容不同的另一条记录；请换一个编号",
        "the number {number} belongs to another record; take another one",
    ),
    "HL1060": (
        "步骤“{step}”不能退回到“{back_to}”；可退回到：{may}（只有退回时才写退回步骤）",
        "{step} is not sent back to {back_to}; it may be sent back to: {may}; only a sending back names a step",
    ),
    "HL1061": (
        "政策没有农户自行申请评级的规定",
        "the policy does not let households ask to be rated",
    ),
    "HL1062": (
        "日期 {date} 不可能：晚于报送日，或早于所依据的事项",
        "the day {date} cannot be: after the message, or before what it rests on",
    ),
    "HL1063": (
        "这一步骤要求农户已签查询授权：{count} 户中只有 {consents} 户已签",
        "the step asks that households have consented to inquiry: of {count} only {consents} have",
    ),
    "HL1064": ("意见为 {decision} 的应写明理由", "the decision {decision} needs a reason"),
    "HL1065": (
        "授信额度 {amount} 超过上限 {line}（评级的额度与产品贷款最高金额取低）",
        "the line of {amount} is above {line}, the lower of the rating's line and the products' largest loan",
    ),
    "HL1066": (
        "授信终止日期晚于评级有效期（至 {until}）",
        "the line would outlast the rating, which holds until {until}",
    ),
    "HL1067": (
        "授信额度 {amount} 加上其他银行已定的 {others} 超过上限 {line}",
        "the line of {amount} and the {others} that other banks have set are above {line} together",
    ),
    "HL1068": (
        "政策要求先由农户或企业申请并签查询授权：{lacking} 户没有申请；请先报送 rating_request",
        "the policy has the borrower ask and consent first: {lacking} have not; send rating_request first",
    ),
    "HL1069": (
        "名册中区划 {region} 没有农户 {borrower_no}；请先报送名册，或更正编号",
        "the roster has no household {borrower_no} in the region {region}; send the roster first, or another number",
    ),
    "HL1070": (
        "不符合贷款条件（{reason}）：{what}{clause}",
        "the loan is not eligible ({reason}): {what}{clause}",
    ),
    "HL1071": (
        "尚未说明是否符合条件（{condition}）：{what}{clause}",
        "nobody has shown that the condition {condition} is met: {what}{clause}",
    ),
    "HL1072": ("没有编号为 {application_no} 的申请", "there is no application {application_no}"),
    "HL1073": (
        "申请 {application_no} {state}，现在不能办理“{step}”：{what}",
        "the application {application_no} is {state}, {step} cannot be taken now: {what}",
    ),
    "HL1074": (
        "步骤“{step}”缺少政策要求的前提：{need}",
        "the step {step} lacks what the policy asks for: {need}",
    ),
    "HL1075": (
        "核定的{what}超出申请的 {applied}；请退回由借款人更正",
        "{what} exceeds what was applied for, {applied}; send it back for the borrower to correct",
    ),
    "HL1076": (
        "申请人不是户 {household_no} 在册的户主或家庭成员",
        "the applicant is neither head nor member of the household {household_no} on the roster",
    ),
    "HL1077": (
        "机构 {institution} 的产品代码 {product} 没有对应的政策产品；请在设置中写明，或更正代码",
        "nobody has said which product of a policy the code {product} of {institution} is; say so in the settings",
    ),
    "HL1078": ("{institution} 不是参与的银行", "{institution} is no bank that takes part"),
    "HL1079": (
        "政策没有这些不予贷款的情形：{what}；可写的代码：{known}",
        "the policy has no such grounds of exclusion: {what}; it has: {known}",
    ),
    "HL1080": (
        "步骤“{step}”以台账中的借据为准，不单独报送；可报送退回或不同意",
        "the step {step} is seen in the ledger, not sent; what can be sent is a refusal or a sending back",
    ),
    "HL1081": ("政策没有面向此类借款人的产品", "the policy has no product for such a borrower"),
    "HL1082": ("{what}应大于零", "{what} must be above nought"),
    "HL1085": (
        "申请 {application_no} 已于 {date} 失效；需要贷款的请另行申请",
        "the application {application_no} lapsed on {date}; for a loan send a new one",
    ),
    "HL1086": (
        "所写成年家庭成员 {stated} 人，花名册所列成年人 {found} 人；所写不得少于此数，且至少 1 人",
        "{stated} adults of the family are stated, the roster has {found}; state no fewer, and at least 1",
    ),
    "HL1088": (
        "政策 {policy} 已没有申请 {application_no} 的{what}；请在政策文件中恢复，或撤回后重新申请",
        "{policy} lacks what the application {application_no} needs: {what}; restore it, or withdraw and apply anew",
    ),
    "HL1090": (
        "花名册中没有农户 {household_no}；请先报送花名册，或更正编号",
        "the roster has no household {household_no}; send the roster first, or another number",
    ),
    "HL1091": (
        "授权人不是农户 {household_no} 的户主或家庭成员",
        "who consents is neither head nor member of the household {household_no}",
    ),
    "HL1092": (
        "授权范围 {scope} 不能授予 {institution}：没有这个机构，或机构类型不符",
        "nobody consents to {scope} to {institution}: there is no such member, or it is of another kind",
    ),
    "HL1093": (
        "经营主体 {enterprise_no} 未登记，或在 {date} 不存续；请先报送 enterprise",
        "the enterprise {enterprise_no} is not entered, or not there on {date}; send enterprise first",
    ),
    "HL1094": (
        "农户 {household_no} 自 {since} 起由 {enterprise_no} 带动；一户同时只由一家带动，请先终止原带动关系",
        "the household {household_no} is led by {enterprise_no} since {since}, and by one at a time: end that first",
    ),
    "HL1095": (
        "农户 {household_no} 到 {date} 为止未由 {enterprise_no} 带动",
        "until {date} the household {household_no} has not been led by {enterprise_no}",
    ),
    "HL1096": (
        "{kind} 类协议的当事{parties}至少 {least} 个",
        "of an agreement of the kind {kind} at least {least} parties are of this kind: {parties}",
    ),
    "HL1097": (
        "区划 {region} 自 {since} 起由 {institution} 包干；一个区划同时只有一家包干银行，请先终止原包干",
        "the lead bank of {region} is {institution} since {since}, and there is one at a time: end that first",
    ),
    "HL1098": (
        "编号 {number} 已定于 {until} 终止，不能延长；请换一个编号",
        "{number} ends on {until}, and is not made longer; take another number",
    ),
    "HL1099": (
        "{institution} 不是已登记的机构（{kind}）",
        "{institution} is no member of this kind: {kind}",
    ),
    "HL1101": (
        "风险补偿金没有编号为 {number} 的业务",
        "nothing of the fund was entered as {number}",
    ),
    "HL1102": (
        "{number} 现为 {state}，不能这样办理：审批的应是待审批的，冲销的应是已入账的，冲销本身不能再冲销",
        (
            "{number} is {state}: what is approved must be entered and not decided, what is reversed must be booked,"
            " and no reversal"
        ),
    ),
    "HL1103": (
        "{institution} 处的存款在该日或以后只有 {there}，不能减少 {amount}",
        "of the {amount} that would leave {institution} only {there} lie there on that day or a later one",
    ),
    "HL1104": (
        "{institution} 不是本县参与的银行，不能存入风险补偿金",
        "{institution} is no bank of this county: the fund has no deposit there",
    ),
    "HL1105": (
        "{number} 已冲销过，或冲销待审批；只能冲销一次",
        "{number} was reversed, or its reversal waits for approval: it is reversed once",
    ),
    "HL1106": (
        "{number} 不是已入账的定期存款",
        "{number} is no term deposit that was booked",
    ),
    "HL1107": (
        "备付 {amount} 超过可承担的额度，尚可备付 {free}",
        "{amount} is more than the fund still carries: {free}",
    ),
    "HL1108": (
        "与 {party} 之间只有 {owed} 未结清，不能收付 {amount}",
        "only {owed} is owed between {party} and the fund, not {amount}",
    ),
    "HL1109": (
        "没有编号为 {number} 的手工备付，或已解除",
        "nothing is set aside by hand as {number}, or it was released",
    ),
    "HL1110": (
        "区划 {region} 不是村（12 位）",
        "region {region} is no village: 12 digits",
    ),
    "HL1120": (
        "结算期 {period} 要到 {until} 才结束，政策不按预计数先行贴息：期满后再核算",
        "the period {period} lasts until {until}, and the policy pays on no estimate: compute it when it is over",
    ),
    "HL1121": (
        "借据 {loan_no} 截至 {until} 的结算期已公示或批准，不再接收申报；以后的变动在下期调整",
        "the subsidy of loan {loan_no} for the period to {until} is posted: it is not asked for again, but adjusted",
    ),
    "HL1122": (
        "机构 {member} 只能为本行的贷款申报贴息，借据属于 {institution}",
        "member {member} asks for the subsidy of its own loans, not for those of {institution}",
    ),
    "HL1130": (
        "{count} 笔贴息现在的状态不能这样办理（{move}）",
        "{count} subsidies are in a state in which that cannot be done ({move})",
    ),
    "HL1140": ("没有编号为 {run_no} 的贴息核算", "there is no computation of subsidies {run_no}"),
    "HL1141": (
        "核算 {run_no} 在该区划没有应公示的贴息：与申报不符、等待预算的不公示，政策不要求公示的直接审批",
        "the run {run_no} has nothing to be posted there: what differs or waits is not, nor what needs no posting",
    ),
    "HL1142": (
        "所写笔数 {stated} 与应公示的 {found} 笔不符；请核对名单后重新办理",
        "{stated} are stated, and {found} are to be posted; look at the list and take the step anew",
    ),
    "HL1143": (
        "借据 {loan_no} 的贴息在 {date} 不在公示期内，不能提出异议",
        "the subsidy of loan {loan_no} is not posted on {date}: nobody can object to it",
    ),
    "HL1144": (
        "核算 {run_no} 现在没有可审批的贴息：公示期未满、有异议或有未结案件的不能审批",
        "the run {run_no} has nothing to be approved: its posting is not over, or somebody objects, or a case is open",
    ),
    "HL1145": (
        "现可办理 {found} 笔、{amount} 元，与所写的 {stated} 笔、{stated_amount} 元不符；请核对后重新办理",
        "{found} of {amount} in all stand there, not {stated} of {stated_amount}; look at the list and do it anew",
    ),
    "HL1146": (
        "核算 {run_no} 没有可由 {institution} 拨付的贴息：须已批准、无未结案件，跨行的须有收款账号，失败的须换卡",
        (
            "the run {run_no} has nothing that {institution} can pay: it must be approved, no case be open, another"
            " bank's customer have a card, and what bounced a new one"
        ),
    ),
    "HL1147": (
        "没有向 {institution} 下达编号为 {number} 的拨付指令",
        "no payment {number} was ordered of {institution}",
    ),
    "HL1148": (
        "拨付结果 {number} 与指令不一致：{fields}",
        "the result {number} differs from what was ordered: {fields}",
    ),
    "HL1149": (
        "拨付 {number} 报过失败，已重新下达指令，不能再改为成功；请核对是否重复支付",
        "the payment {number} bounced and was ordered anew: it cannot have been paid; see whether it was paid twice",
    ),
    "HL1151": (
        "借据 {loan_no} 没有核算过贴息",
        "no subsidy was computed for the loan {loan_no}",
    ),
    "HL1152": ("没有编号为 {case_no} 的虚报冒领案件", "there is no case of a false claim {case_no}"),
    "HL1153": (
        "案件 {case_no} 现为“{state}”，不能这样办理",
        "the case {case_no} is {state}: that cannot be done now",
    ),
    "HL1154": (
        "认定属实的应写明应追回金额，不属实的不写（意见：{decision}）",
        "a case that is found true says how much must come back, another one does not ({decision})",
    ),
    "HL1155": (
        "金额 {amount} 不对：应大于零，且不超过 {left}",
        "the amount {amount} cannot be: it is above nought and at most {left}",
    ),
    "HL1160": (
        "{institution} 的台账没有借据 {loan_no}",
        "no ledger of {institution} has the loan {loan_no}",
    ),
    "HL1161": (
        "台账未显示借据 {loan_no} 逾期或核销；请先报送台账",
        "the newest ledger does not show the loan {loan_no} overdue or written off; send the ledger first",
    ),
    "HL1162": (
        "借据 {loan_no} 申请的本金 {amount} 超过台账余额 {there}",
        "of the loan {loan_no} {amount} are asked as principal, its balance in the ledger is {there}",
    ),
    "HL1163": (
        "借据 {loan_no} 已有风险补偿申请 {claim_no}；一笔损失只补偿一次",
        "the loan {loan_no} has its claim already: {claim_no}; a loss is made good once",
    ),
    "HL1164": (
        "附件清单缺少政策要求的材料：{what}（以分号分隔，名称与政策一致）",
        "the list of evidence lacks what the policy asks for: {what}; join names by semicolons, as the policy has them",
    ),
    "HL1165": ("没有编号为 {claim_no} 的风险补偿申请", "there is no claim of compensation {claim_no}"),
    "HL1166": (
        "风险补偿申请 {claim_no} 现为“{state}”（待办：{due}），不能办理“{step}”",
        "the claim {claim_no} is {state}, due is {due}: {step} cannot be taken",
    ),
    "HL1167": (
        "保险赔案 {number} 尚未办结；保险先赔，余额再补偿",
        "the insurer has not decided {number}: insurance pays first, and what is left is made good",
    ),
    "HL1168": (
        "政策 {policy} 不能裁定此笔损失：{what}",
        "the policy {policy} cannot judge this loss: {what}",
    ),
    "HL1169": (
        "政策不补偿申请 {claim_no} 的损失：{what}",
        "the policy does not cover the loss of the claim {claim_no}: {what}",
    ),
    "HL1170": (
        "借据 {loan_no} 的借款人不是 {borrower_no}；企业的借据应写明企业编号",
        "the borrower of the loan {loan_no} is not {borrower_no}; of an enterprise's loan its number must be said",
    ),
    "HL1171": (
        "政策 {policy} 规定风险补偿由银行申请；借款人申请的，主体应与借据一致",
        "by the policy {policy} the bank asks for compensation; a borrower asks for its own loan",
    ),
    "HL1172": (
        "{party} 尚余 {left}，不能办理 {amount}",
        "{left} is left of what concerns {party}, not {amount}",
    ),
    "HL1173": (
        "入账流水号 {number} 已用于借据 {loan_no}",
        "the transaction {number} is of the loan {loan_no}",
    ),
    "HL1174": (
        "申请 {claim_no} 没有可核销的金额，或录入后金额已变",
        "nothing of the claim {claim_no} is left to be written off, or another amount than was entered",
    ),
    "HL1175": (
        "借据 {loan_no} 申请的利息 {amount} 超过自起始日起按合同利率加罚息最多可能产生的 {most}",
        "of the loan {loan_no} {amount} are asked as interest; since it began no more than {most} can have arisen",
    ),
    "HL1181": (
        "{institution} 没有报送 {period} 的期间损益，不能核定",
        "{institution} has stated no result of {period}: there is nothing to settle",
    ),
    "HL1182": (
        "{institution} 报送的 {period} 保费收入为 {premiums}、赔款支出为 {claims}，与所核的不一致",
        "of {period} {institution} states premiums of {premiums} and claims of {claims}, not what was seen",
    ),
    "HL1183": (
        "{other} 已核定，与 {period} 重叠",
        "{other} was settled, and overlaps with {period}",
    ),
    "HL1184": (
        "{period} 到 {last_day} 才结束，结束后方可核定",
        "{period} ends on {last_day}, and is settled after that",
    ),
    "HL1185": (
        "{institution} 没有保单 {policy_no}",
        "{institution} has no policy {policy_no}",
    ),
    "HL1186": (
        "缴费 {number} 不存在、与所写的不一致，或已冲销；只能冲销一次",
        "there is no such payment {number}, or it was taken back: that is done once",
    ),
    "HL1187": (
        "该区划内待公示的奖惩为 {there} 项，不是 {count} 项",
        "in this region {there} consequences wait to be posted, not {count}",
    ),
}
