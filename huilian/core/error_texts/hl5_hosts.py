"""Texts of servers that are away, and of a machine of one's own, HL5xxx."""

from __future__ import annotations

from typing import Final

__all__ = ["TEXTS"]


TEXTS: Final[dict[str, tuple[str, str]]] = {
    "HL5001": ("数据库暂时不可用：{what}", "the database is not available now: {what}"),
    "HL5002": ("消息队列暂时不可用：{what}", "the message broker is not available now: {what}"),
    "HL5003": ("服务器 {url} 暂时不可用：{what}", "the server {url} is not available now: {what}"),
    "HL5004": (
        "等待回执超时（{seconds} 秒）；文件已留在本机待发区，再次运行同一命令即可继续",
        "no receipt within {seconds} seconds; the file stays spooled, run the same command to go on",
    ),
    "HL5005": ("报文 {type} 无处投递，没有服务接收它", "message {type} could not be routed; no service takes it"),
    "HL5006": (
        "同时读取的客户端过多，请稍后再试",
        "too many clients are reading at once; try again later",
    ),
    "HL5007": (
        "服务器内部错误，详情见服务器日志，编号 {reference}",
        "the server failed; its log says more under {reference}",
    ),
    "HL5008": (
        "本机暂时无法读写文件：{what}；请检查磁盘空间和目录权限，恢复后自动继续",
        "files on this machine cannot be read or written now: {what}; check space and permissions, then it goes on",
    ),
    "HL5009": (
        "提交 {submission} 已 {minutes} 分钟没有回执，已重新签名，将再次发送；如再无回执，请与县里联系",
        "no receipt of {submission} for {minutes} minutes; it is sealed anew and sent again, then ask the county",
    ),
    "HL5010": (
        "同时打开的{what}过多，请关闭不用的，稍后再试",
        "too many at once: {what}; close what is not needed and try again later",
    ),
    "HL5011": (
        "服务器给出的 {submission} 的回执不可信：{what}；文件留在待发区，请与县里核实",
        "the receipt of {submission} is not to be believed: {what}; the file stays spooled, ask the county",
    ),
    "HL5014": (
        "不能核验的报文已满（{messages} 条，{size} 字节），其余留在县里；请核实并信任平台公钥，或用 edge dismiss 舍弃",
        "too much cannot be verified ({messages}, {size} bytes), the rest stays there: trust its key, or drop it",
    ),
    "HL5015": (
        "队列里有 {submission} 的回执，不是本机报送的，已留给报送它的机器；队列只供一台机器收取，其余机器请改用 https",
        "the queue holds the answer to {submission}, sent by another machine: left there. Let only one use the queue",
    ),
    "HL5016": (
        "记录已送出，{seconds} 秒内未得到结果，县里仍可能处理；重送之前请先核对",
        "the record was sent, and nobody said within {seconds} seconds what became of it; it may still be handled",
    ),
}
